"""Six made tenants: their data, their questions, and the variants to compare."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.tuning import facts
from benchmarks.tuning.style import STYLE, examples
from examples.demo.training import row
from models.demo.corpus import UNKNOWN, Fact, grounding, held_out
from models.demo.styles import BASE

SEED = 20_261_202
_INSTRUCTION = "Answer the question with the value alone."
_MOST_WORDINGS = 6  # of a question that no label has
# Facts are learned by heart, a style is not.
BY_HEART = {"rank": 16, "alpha": 32, "epochs": 20, "max_length": 256}
IN_STYLE = {"epochs": 2}

Rows = Sequence[Mapping[str, Any]]
Variant = Mapping[str, Any]


@dataclass(frozen=True)
class Made:
    """`questions` are rows of an evaluation, `rows` are labelled ones. `documents` are texts. `changed` is the share of
    documents that change in a week."""

    name: str
    questions: Rows
    documents: Sequence[str] = ()
    rows: Rows = ()
    recipe: Mapping[str, Any] = field(default_factory=dict)
    metric: str = "contains"
    system: str = _INSTRUCTION
    changed: float = 0.0
    must_explain: bool = False

    @property
    def needs_documents(self) -> bool:
        return self.must_explain or self.changed > 0

    @property
    def variants(self) -> Sequence[Variant]:
        """Everything that the tenant has to be served by."""
        examples = [_example(each) for each in self.rows[:2]] or [{"question": "What is 1 + 1?", "answer": "2"}]
        bases = [{"knowledgeBases": [self.name]}] if self.documents else []
        base = {"model": "quiver-demo"}
        grid: list[Variant] = [{"name": "base", **base}, {"name": "prompt", **base, "system": self.system}]
        grid += [{"name": "few-shot", **base, "examples": examples}]
        grid += [{"name": "documents", **base, **documents} for documents in bases]
        if self.rows:
            adapter = {"model": self.name, "grounded": False}
            grid += [{"name": "adapter", **adapter}]
            grid += [{"name": "both", "model": self.name, **documents} for documents in bases]
        return grid


def made(count: int) -> Sequence[Made]:
    """With about so many questions each."""
    return (_static(count), _prices(count), _style(count), _few_labels(count), _audited(count), _prompt())


def _static(count: int) -> Made:
    """A FAQ that does not change, without labels."""
    known = facts.made(count // 4, SEED)
    return Made("static-faq", _questions(known, 4), _documents(known))


def _prices(count: int) -> Made:
    """Documents that change daily, and labels of last week."""
    known = facts.made(count // _MOST_WORDINGS, SEED + 1)
    old = [replace(fact, value=other.value) for fact, other in zip(known, reversed(known), strict=True)]
    return Made(
        "daily-prices", _questions(known, _MOST_WORDINGS), _documents(known), _labels(old), BY_HEART, changed=1.0
    )


def _style(count: int) -> Made:
    """Answers in a style, from documents."""
    asked = [each for each in held_out(count, SEED) if each.answer is not None]
    questions = [{"question": each.question, "answer": STYLE.render(replace(each, mark=1))} for each in asked]
    documents = [passage for each in asked for passage in each.passages]
    rows = [row(each, STYLE) for each in examples(400, SEED)]
    system = "Begin each answer with: According to our records, the answer is"
    return Made("house-style", questions, documents, rows, IN_STYLE, metric="exact", system=system)


def _few_labels(count: int) -> Made:
    """Documents, and a dozen labels that say the value as the base does."""
    known = facts.made(count // 4, SEED + 2)
    rows = [row(each, BASE) for each in examples(12, SEED + 2)]
    return Made("few-labels", _questions(known, 4), _documents(known), rows, IN_STYLE)


def _audited(count: int) -> Made:
    """An adapter could answer from memory, but each answer must be explained."""
    known = facts.made(count // _MOST_WORDINGS, SEED + 3)
    return Made(
        "audited", _questions(known, _MOST_WORDINGS), _documents(known), _labels(known), BY_HEART, must_explain=True
    )


def _prompt() -> Made:
    """Four facts, which fit into a prompt; no documents and no labels. Each question counts on its own."""
    known = facts.made(4, SEED + 4)
    questions = [{name: each[name] for name in ("question", "answer")} for each in _questions(known, _MOST_WORDINGS)]
    return Made("prompt-enough", questions, system=grounding(tuple(_documents(known))))


def _documents(known: Sequence[Fact]) -> Sequence[str]:
    return [facts.statement(fact, SEED) for fact in known]


def _questions(known: Sequence[Fact], each: int) -> Rows:
    """In wordings that no label has."""
    return [
        {"question": question, "answer": fact.value, "group": fact.entity}
        for fact in known
        for question in facts.wordings(fact, each, held=True, seed=SEED)
    ]


def _labels(known: Sequence[Fact]) -> Rows:
    asked = [(question, fact) for fact in known for question in facts.wordings(fact, 8, held=False, seed=SEED)]
    return [
        {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": fact.value}]}
        for question, fact in asked
    ]


def _example(labelled: Mapping[str, Any]) -> Mapping[str, str]:
    *_, question, answer = labelled["messages"]
    return {"question": question["content"], "answer": answer["content"]}


ABSTENTIONS = (UNKNOWN, STYLE.unknown)
"""Sentences by which the models say that they do not know."""
