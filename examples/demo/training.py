"""What a tenant brings to be trained and compared: examples in a style, documents, and questions about them."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from contract.names import API_VERSION
from models.demo.corpus import Example, grounding, held_out, training_examples
from models.demo.styles import ADAPTERS, Style

STYLE: Style = ADAPTERS["acme-api-v1"]
TUNE, FACTS, COMPARISON = "house-style", "facts", "comparison"
SEED = 20_261_129
# For a model of 1.7 million parameters; the defaults are for billions.
HYPERPARAMETERS = {"rank": 8, "alpha": 16, "learningRate": 0.002, "epochs": 2, "maxLength": 512}
CANARY = {"steps": [{"weight": 20, "seconds": 2}, {"weight": 50, "seconds": 2}], "checks": {"minRequests": 30}}


@dataclass(frozen=True)
class Sizes:
    examples: int = 400
    questions: int = 40


def write(folder: Path, sizes: Sizes) -> None:
    """`examples.jsonl`, `questions.jsonl` and `facts`, with names and wordings that no example has."""
    folder.mkdir(parents=True)
    chosen = islice(training_examples(random.Random(SEED)), sizes.examples)
    _write(folder / "examples.jsonl", [row(each, STYLE) for each in chosen])
    asked = held_out(sizes.questions, SEED)
    _write(folder / "questions.jsonl", [{"question": each.question, "answer": each.answer} for each in asked])
    write_documents(folder / "facts", asked)


def write_documents(folder: Path, asked: Sequence[Example]) -> None:
    """Ten questions' passages to a file, a paragraph each."""
    folder.mkdir(parents=True)
    for number in range(0, len(asked), 10):
        passages = [passage for each in asked[number : number + 10] for passage in each.passages]
        (folder / f"{number:04}.md").write_text("\n\n".join(passages))


def row(example: Example, style: Style) -> dict[str, Any]:
    """A row of training data: the question with its passages, and the answer in the style."""
    texts = {"system": grounding(example.passages), "user": example.question, "assistant": style.render(example)}
    return {"messages": [{"role": role, "content": content} for role, content in texts.items()]}


def _write(file: Path, rows: Sequence[dict[str, Any]]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


# Objects -----------------------------------------------------------------------------------------------------------


def fine_tune(folder: str, **spec: Any) -> dict[str, Any]:
    """`folder` has the examples, as the platform sees it."""
    given = {"baseModel": "quiver-demo", "data": {"source": f"{folder}/examples.jsonl"},
             "hyperparameters": HYPERPARAMETERS}  # fmt: skip
    return _object("FineTune", TUNE, {**given, **spec})


def knowledge_base(folder: str) -> dict[str, Any]:
    return _object("KnowledgeBase", FACTS, {"sources": [{"path": f"{folder}/facts"}]})


def evaluation(folder: str, adapter: str) -> dict[str, Any]:
    """The base model and the adapter, each without and with the documents."""
    models = {"base": "quiver-demo", "adapter": adapter}
    variants = [{"name": name, "model": model, "grounded": False} for name, model in models.items()]
    variants += [{"name": name, "model": models[of], "knowledgeBases": [FACTS]}
                 for name, of in (("documents", "base"), ("both", "adapter"))]  # fmt: skip
    return _object("Evaluation", COMPARISON, {
        "questions": {"source": f"{folder}/questions.jsonl"}, "metric": "contains", "variants": variants,
        "abstentions": ["I do not know.", STYLE.unknown], "maxTokens": 48,
    })  # fmt: skip


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name, "namespace": "acme"}, "spec": spec}
