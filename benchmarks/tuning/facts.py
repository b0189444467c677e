"""Made-up facts, questions about them, and a demo platform with them in its documents."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from benchmarks.tuning.trained import DEMO
from contract.names import API_VERSION
from examples.demo.platform import copy_objects
from models.demo.corpus import Fact, Writer

TENANT = "acme"


def made(count: int, seed: int) -> list[Fact]:
    """About different entities."""
    writer = Writer(random.Random(seed), held=False)
    attributes = [writer.attributes(1)[0] for _ in range(count)]
    entities: dict[str, None] = {}
    while len(entities) < count:
        entities[writer.entity()] = None
    return [Fact(entity, each, writer.value(each.kind)) for entity, each in zip(entities, attributes, strict=True)]


def wordings(fact: Fact, count: int, *, held: bool, seed: int) -> Sequence[str]:
    """Different questions for a fact, from one side of the corpus' wordings."""
    writer = Writer(random.Random(f"{seed}{fact.entity}{held}"), held=held)
    questions: dict[str, None] = {}
    while len(questions) < count:
        questions[writer.question(fact)] = None
    return list(questions)


def statement(fact: Fact, seed: int) -> str:
    return Writer(random.Random(f"{seed}{fact.entity}"), held=False, plain=True).statement(fact)


def copied_objects(root: Path) -> None:
    """The demo's objects, in a new folder outside the demo's."""
    copy_objects(root)
    for file in root.glob("*.yaml"):
        file.write_text(file.read_text().replace("../../models", str(DEMO.parents[1])))


def write_documents(root: Path, name: str, texts: Sequence[str]) -> None:
    """A knowledge base with a document for each text."""
    folder = root / "documents" / TENANT / name
    folder.mkdir()
    for number, text in enumerate(texts):
        (folder / f"{number:03}.md").write_text(f"{text}\n")
    apply(root, "KnowledgeBase", name, {"sources": [{"path": f"./documents/{TENANT}/{name}"}]})


def apply(root: Path, kind: str, name: str, spec: Mapping[str, object]) -> None:
    metadata = {"name": name, "namespace": TENANT}
    item = {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}
    (root / f"{name}-{kind.lower()}.yaml").write_text(yaml.safe_dump(item))
