"""Export a cross-encoder to ONNX: `python -m retrieval.reranking.export MODEL_DIR OUT_DIR`.

Runs in an environment with torch, transformers and onnx. `MODEL_DIR` holds a model for sequence classification with one
output (how relevant) or two (irrelevant, relevant), as `cross-encoder/ms-marco-MiniLM-L-6-v2` or
`BAAI/bge-reranker-v2-m3`, with its `tokenizer.json`; nothing is downloaded. Writes `model.onnx` (output `logits`:
float32[batch, outputs]) and `tokenizer.json`. The model is written only if it reproduces torch's output.
"""

import argparse
import logging
import tempfile
from pathlib import Path
from typing import Any

from retrieval.embedding.export import FILES, accepted, sample_inputs, tokenizer_json, write_onnx

LARGEST_DIFFERENCE = 1e-3  # of a logit
MOST_TOKENS = 512

log = logging.getLogger("retrieval.reranking.export")


def load(source: Path) -> Any:
    """The classifier in evaluation mode, with plain attention, which exports to portable operators."""
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(
        source, attn_implementation="eager", local_files_only=True
    ).eval()
    if model.config.num_labels > 2:
        raise SystemExit(f"{source} has {model.config.num_labels} outputs: a re-ranker has one or two.")
    return model


def most_tokens(model: Any) -> int:
    """The positions that the model has for a question and a passage; the roberta family starts to count at 2."""
    positions = int(getattr(model.config, "max_position_embeddings", MOST_TOKENS + 2))
    return min(MOST_TOKENS, positions - 2)


def largest_difference(model: Any, exported: Path, inputs: dict[str, Any]) -> float:
    """Between torch's logits and those of the exported model, of all samples together."""
    import torch
    from onnx.reference import ReferenceEvaluator  # type: ignore[import-not-found]

    with torch.no_grad():
        expected = model(**inputs).logits
    evaluator = ReferenceEvaluator(str(exported))
    actual = evaluator.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})[0]
    return float((expected - torch.from_numpy(actual)).abs().max())


def export(source: Path, out: Path) -> None:
    """Write both files into `out` by renaming, the model last: a folder with a model is complete."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as scratch:
        model_file, tokenizer_file = (Path(scratch) / name for name in FILES)
        model = load(source)
        tokenizer_file.write_text(tokenizer_json(source, most_tokens=most_tokens(model)), encoding="utf-8")
        inputs = accepted(model, sample_inputs(tokenizer_file))
        write_onnx(model, inputs, model_file, output="logits")
        difference = largest_difference(model, model_file, inputs)
        if difference > LARGEST_DIFFERENCE:
            raise SystemExit(f"The exported model differs from torch by {difference:.2g}: not written.")
        for written in (tokenizer_file, model_file):
            written.replace(out / written.name)
    log.info("wrote %s (largest difference %.2g)", out / FILES[0], difference)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m retrieval.reranking.export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", type=Path, help="directory with the model and its tokenizer.json")
    parser.add_argument("out", type=Path, help="directory for model.onnx and tokenizer.json")
    given = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    log.setLevel(logging.INFO)
    export(given.source, given.out)


if __name__ == "__main__":
    main()
