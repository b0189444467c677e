"""Evaluation: variants of answering a tenant's questions, compared by a job."""

import hashlib
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints, model_validator

from contract.definition import NAME_RULE, Column, Definition, Rule
from contract.fine_tune import FILE_RULE, Data
from contract.prompt import Example
from contract.resource import Resource, Status
from contract.value import Digest, ModelName, Value

HISTORY_LENGTH = 50
_RUN_DIGITS = 12
MOST_PLAN = 100_000  # bytes: a process takes no longer argument

Metric = Literal["exact", "contains", "f1", "json", "citation", "judge"]
JUDGE_RULE = "the metric judge needs a judge, and no other metric has one"
Text = Annotated[str, StringConstraints(max_length=20_000)]
VariantName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$", max_length=40)]


class Variant(Value):
    """One way to answer: a model with its prompt, examples and documents."""

    name: VariantName
    """Its name in results."""
    model: ModelName
    """A base model, an adapter, or a version of one, as requests name it."""
    system: Text = ""
    """A system prompt."""
    examples: Annotated[tuple[Example, ...], Field(max_length=32)] = ()
    """Examples before each question."""
    knowledge_bases: Annotated[tuple[ModelName, ...], Field(max_length=16)] = ()
    """Knowledge bases to answer from."""
    grounded: bool | None = None
    """False leaves out an adapter's own knowledge bases."""


class Judge(Value):
    """A model for telling whether an answer is right."""

    model: ModelName
    """A base model or an adapter, as requests name it: a strong one, other than the variants' models."""
    criterion: Text = ""
    """A right answer in words; without it, an answer has to agree with an accepted one."""


class EvaluationSpec(Value):
    """A change of anything but `stopped` and `everyHours` begins a new run."""

    questions: Data
    """Questions: JSON lines with `question` and `answer`, or rows of training data (docs/evaluation.md)."""
    metric: Metric = "exact"
    """What a right answer is."""
    judge: Judge | None = None
    """The judge of the metric `judge`."""
    variants: Annotated[tuple[Variant, ...], Field(min_length=2, max_length=12)]
    """What is compared; the first is the base."""
    abstentions: Annotated[tuple[Text, ...], Field(max_length=16)] = ()
    """Further sentences that count as an abstention."""
    max_tokens: Annotated[int, Field(ge=1, le=4096)] = 256
    """The most tokens of an answer."""
    at_once: Annotated[int, Field(ge=1, le=64)] = 4
    """Requests at the same time."""
    every_hours: Annotated[int, Field(ge=1, le=8784)] | None = None
    """Repeat it after so many hours: its history shows how answers change."""
    stopped: bool = False
    """True ends the job. Its answers stay, and false goes on from them."""

    @model_validator(mode="after")
    def _names_differ(self) -> "EvaluationSpec":
        require_judge(self.metric, self.judge)
        names = [variant.name for variant in self.variants]
        if len(set(names)) < len(names):
            raise ValueError("each variant needs a name of its own")
        return self

    @property
    def digest(self) -> str:
        """Identifies the comparison."""
        unset = set() if self.judge else {"judge"}  # as before there was this field
        text = self.model_dump_json(exclude={"stopped", "every_hours", *unset})
        return hashlib.sha256(text.encode()).hexdigest()[:_RUN_DIGITS]


def asked_models(variants: Sequence[Variant], judge: Judge | None) -> frozenset[str]:
    """All models of a comparison, as requests name them."""
    return frozenset([*(variant.model for variant in variants), *([judge.model] if judge else [])])


def require_judge(metric: Metric, judge: Judge | None) -> None:
    """Raises ValueError."""
    if (metric == "judge") != (judge is not None):
        raise ValueError(JUDGE_RULE)


class VariantResult(Value):
    """A variant's answers."""

    name: str
    """Its name."""
    score: float
    """The mean score of its answers, 0 to 1."""
    low: float
    """The lower end of the score's 95 % interval."""
    high: float
    """The upper end of it."""
    tokens: float
    """Tokens of an answer and its prompt on average."""
    median_seconds: float
    """The median time of an answer."""
    withheld: int = 0
    """Questions without an answer to which it gave none."""
    refused: int = 0
    """Questions with an answer to which it gave none."""
    errors: int = 0
    """Requests that the API refused."""


class Outcome(Value):
    """The result of a run."""

    run: str
    """The run."""
    at: str
    """When it ended, in ISO 8601."""
    questions: Digest
    """The SHA-256 of the questions."""
    count: int
    """The number of questions."""
    winner: str = ""
    """The variant that is better than every other; empty where none is."""
    best: tuple[str, ...]
    """Variants without a better one, the cheapest first."""
    conclusion: str
    """The result in words."""
    variants: tuple[VariantResult, ...]
    """The variants in the order of the spec."""
    judge: str = ""
    """The judge's own noise."""
    first: str = ""
    """The first run of the same comparison and questions; empty if this is it."""
    worse: tuple[str, ...] = ()
    """Variants whose answers are worse than in the first run, as NAME -0.120 (-0.160 to -0.080)."""
    report: str
    """The folder with every answer, and with the report as report.html."""


class Point(Value):
    """The scores of an earlier run."""

    at: str
    """When it ended, in ISO 8601."""
    scores: Annotated[tuple[str, ...], Field(max_length=12)]
    """The score of each variant, as NAME 0.85."""


class EvaluationStatus(Status):
    """The observed state of the evaluation."""

    run: str = ""
    """The current or last run."""
    ended: str = ""
    """When the last run ended, with a result or without, in ISO 8601."""
    answers: int = 0
    """Answers that are there."""
    total: int = 0
    """Answers that there will be."""
    result: Outcome | None = None
    """The last result."""
    history: Annotated[tuple[Point, ...], Field(max_length=HISTORY_LENGTH)] = ()
    """The results of the same comparison, newest first."""


class Evaluation(Resource):
    definition: ClassVar[Definition] = Definition(
        "evaluations", "qev",
        (
            Column("Answers", ".status.answers", "integer"),
            Column("Of", ".status.total", "integer"),
            Column("Winner", ".status.result.winner"),
        ),
        rules=(
            NAME_RULE,
            Rule("spec.questions.source", *FILE_RULE),
            Rule("spec", "(has(self.metric) && self.metric == 'judge') == has(self.judge)", JUDGE_RULE),
            Rule("spec.variants", "self.all(v, self.filter(w, w.name == v.name).size() == 1)",
                 "each variant needs a name of its own"),
        ),
    )  # fmt: skip
    kind: Literal["Evaluation"] = "Evaluation"
    spec: EvaluationSpec
    status: EvaluationStatus = EvaluationStatus()
