"""FineTune: an adapter trained on a tenant's examples, by a job."""

import hashlib
import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from contract.adapter import Canary, CanaryStep, Rollout, canary_rules
from contract.base_model import Resources
from contract.definition import NAME_RULE, Column, Definition, Rule
from contract.prompt import PromptText
from contract.resource import Resource, Status
from contract.value import Digest, ModelName, Name, Uri, Value

_RUN_DIGITS = 12
# The rule of a source that is one file, and its remedy.
UPLOAD_ID = "file-[A-Za-z0-9]+"
_A_FILE = f"^((s3|gs|https|hf)://.+|upload://{UPLOAD_ID})$"
FILE_RULE = (
    f"!self.matches('(^|/)[.][.](/|$)') && (self.startsWith('/') || self.matches('{_A_FILE}'))",
    "name a file: a path among the tenant's documents, upload://ID, or one under s3://, gs://, https:// or hf://",
)

Method = Literal["LoRA", "rsLoRA", "DoRA", "QLoRA", "QDoRA", "Full"]
METHODS: tuple[Method, ...] = ("LoRA", "rsLoRA", "DoRA", "QLoRA", "QDoRA")  # Full is refused
NOT_FULL = "train an adapter of all linear layers: a fully tuned model takes a whole engine, and is not swapped"

NOT_BOTH = "take search or augmentation: each judges by the rows that are held out for it"
QUESTION = "{question}"
NO_QUESTION = "a template holds {question} once, and no other braces"


def _with_question(template: str) -> str:
    if template.count(QUESTION) != 1 or set("{}") & set(template.replace(QUESTION, "")):
        raise ValueError(NO_QUESTION)
    return template


Template = Annotated[str, StringConstraints(max_length=500), AfterValidator(_with_question)]


UPLOAD = "upload://"


class Data(Value):
    """Examples: JSON lines of chats, of prompts and completions, of Alpaca's or ShareGPT's form (docs/tuning.md)."""

    source: Uri
    """A file: a path in the tenant's own directory of documents, one that was uploaded with POST /v1/files, as
    upload://ID, or one under s3://, gs://, https:// or hf://."""
    digest: Digest | None = None
    """The SHA-256 of the file, in hexadecimal digits: any other content is refused."""
    credentials: Name | None = None
    """A Secret in the same namespace with the source's credentials."""

    @property
    def is_file(self) -> bool:
        """As the rule of its definition: a directory of objects has no API server to check it."""
        return ".." not in self.source.split("/") and (
            self.source.startswith("/") or re.fullmatch(_A_FILE, self.source) is not None
        )

    @property
    def upload(self) -> str:
        """The id of the uploaded file; empty for another source."""
        return self.source.removeprefix(UPLOAD) if self.source.startswith(UPLOAD) else ""


class Teacher(Value):
    """A model of the platform. The adapter learns its answers, without its documents and its prompt."""

    model: ModelName
    """A base model, an adapter, or a version of one, as requests name it."""
    knowledge_bases: Annotated[tuple[Name, ...], Field(max_length=16)] = ()
    """Its documents, of the same namespace. With some, answers that cite none are left out."""
    system: PromptText = ""
    """Its system prompt."""
    max_tokens: Annotated[int, Field(ge=1, le=4096)] = 256
    """The most tokens of an answer; one that is cut off there is left out."""


class Hyperparameters(Value):
    """The defaults are for models of billions of parameters; small ones want ten times the learning rate."""

    rank: Annotated[int, Field(ge=1, le=512)] = 16
    """The rank of the matrices, at most the base model's maxRank."""
    alpha: Annotated[int, Field(ge=1, le=1024)] = 32
    """The update is scaled by alpha / rank."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-4
    """The highest rate, after a short warm-up."""
    epochs: Annotated[int, Field(ge=1, le=100)] = 3
    """Passes over the rows, if training does not stop early."""
    batch_size: Annotated[int, Field(ge=1, le=1024)] = 8
    """Rows of a step."""
    max_length: Annotated[int, Field(ge=16, le=1_000_000)] = 1024
    """The most tokens of a row that the model reads."""
    patience: Annotated[int, Field(ge=1, le=1000)] = 6
    """Looks at the held-out rows without a lower loss before training stops."""
    targets: Literal["all", "attention", "mlp"] = "all"
    """The linear layers that get matrices."""
    seed: Annotated[int, Field(ge=0, le=2**31)] = 0
    """The seed of everything random."""


class Search(Value):
    """Other hyperparameters are tried, and kept if they are better on rows that no trial saw."""

    trials: Annotated[int, Field(ge=2, le=1000)] = 12
    """Recipes to try, the given one first."""
    minutes: Annotated[int, Field(ge=1, le=100_000)] = 60
    """No trial begins later."""


class Augmentation(Value):
    """Other wordings of the questions are learned, too, and kept if they helped on rows that neither training saw."""

    noise: Annotated[float, Field(ge=0, le=1)] = 0.1
    """The share of a question's words that get a typing error."""
    templates: Annotated[tuple[Template, ...], Field(max_length=16)] = ()
    """Texts around a question, each with {question} once."""
    copies: Annotated[int, Field(ge=1, le=20)] = 1
    """Further wordings of each row."""


class AdapterTemplate(Value):
    """The adapter serving the result."""

    name: Name
    """Its name. An adapter of this name that exists already is left as it is."""
    knowledge_bases: Annotated[tuple[Name, ...], Field(max_length=16)] = ()
    """Knowledge bases of the same namespace whose documents ground its answers."""
    rollout: Rollout = Rollout(canary=Canary(steps=(CanaryStep(weight=10), CanaryStep(weight=50))))
    """How results after the first are released."""


class FineTuneSpec(Value):
    """A change of anything but `adapter`, `resources` and `stopped` begins a new training."""

    base_model: Name
    """The BaseModel to train on."""
    data: Data
    """The examples; with a teacher, its questions: JSON lines with `question`."""
    teacher: Teacher | None = None
    """Learn this model's answers to the questions of the data."""
    method: Method = "LoRA"
    """LoRA, rsLoRA or DoRA; with a Q, the base model's weights are in 4 bits while training. Full is refused."""
    start: Name | None = None
    """An adapter of the same namespace to go on from: same method, rank and alpha."""
    hyperparameters: Hyperparameters = Hyperparameters()
    """The settings of the training."""
    search: Search | None = None
    """Try other hyperparameters, too."""
    augmentation: Augmentation | None = None
    """Try other wordings of the questions, too; not together with a search."""
    adapter: AdapterTemplate | None = None
    """Make this adapter of the result. Any adapter may take it as its source, as finetune://NAME."""
    resources: Resources = Resources()
    """Resources of the job on a cluster."""
    stopped: bool = False
    """True ends the job. Its checkpoints stay, and false goes on from them."""

    @field_validator("method")
    @classmethod
    def _not_full(cls, method: Method) -> Method:
        if method == "Full":
            raise ValueError(NOT_FULL)
        return method

    @model_validator(mode="after")
    def _one_trial(self) -> "FineTuneSpec":
        if self.search and self.augmentation:
            raise ValueError(NOT_BOTH)
        return self

    @property
    def run(self) -> str:
        """Identifies the training: all that decides its result."""
        later = ("augmentation", "teacher")  # without them, a training is the one from before there were these fields
        unset = {name for name in later if getattr(self, name) is None}
        text = self.model_dump_json(exclude={"adapter", "resources", "stopped", *unset})
        return hashlib.sha256(text.encode()).hexdigest()[:_RUN_DIGITS]


def simple_spec(
    name: str,
    base_model: str,
    method: str,
    *,
    rate: float | None,
    epochs: int | None,
    teacher: str,
    bases: Sequence[str],
) -> dict[str, Any]:
    """The usual spec of a training without data, unchecked: the adapter has its name. `bases` are the teacher's."""
    given = {"learningRate": rate, "epochs": epochs}
    return {
        "baseModel": base_model,
        "method": method,
        "hyperparameters": {field: value for field, value in given.items() if value is not None},
        "adapter": {"name": name},
        **({"teacher": {"model": teacher, "knowledgeBases": list(bases)}} if teacher else {}),
    }


class Training(Value):
    """The progress of the current training."""

    run: str
    """Identifies the training."""
    began: str = ""
    """When the job began, in ISO 8601."""
    ended: str = ""
    """When it ended; empty before."""
    seconds: int = 0
    """The time for which it ran."""
    step: int = 0
    """Steps that are done."""
    steps: int = 0
    """Steps of the whole training, without an early stop."""
    loss: float | None = None
    """The loss of the last steps, in nats a token."""
    held_out_loss: float | None = None
    """The last loss of the held-out rows, in nats a token."""
    tokens_per_second: int | None = None
    """The speed, in tokens of the rows."""
    seconds_left: int | None = None
    """About how long it still takes."""
    answers: int = 0
    """Questions that the teacher has answered."""
    questions: int = 0
    """Questions for the teacher."""
    trial: str = ""
    """The last trial of a search, and what it tried."""


class Result(Value):
    """A trained adapter, and its origin."""

    run: str
    """The training that made it."""
    digest: Digest
    """The SHA-256 of its content."""
    source: Uri
    """Where it lies."""
    data: Digest
    """The SHA-256 of the examples."""
    base: Digest
    """The SHA-256 of the base model's files."""
    start: Digest | None = None
    """The SHA-256 of the adapter that it went on from."""
    recipe: str
    """The method and the hyperparameters, in JSON."""
    code: str
    """The versions of the trainer and of its libraries."""
    rows: int
    """Rows that it learned from."""
    held_out_rows: int
    """Rows by which training stopped early."""
    steps: int
    """Steps that it took."""
    held_out_loss: float | None = None
    """Its loss of the held-out rows, in nats a token."""
    search: str = ""
    """What a search gained."""
    augmentation: str = ""
    """What other wordings gained."""
    teacher: str = ""
    """How many of the teacher's answers were learned, and why others were not."""


class FineTuneStatus(Status):
    """The observed state of the training."""

    training: Training | None = None
    """The progress of the current training."""
    result: Result | None = None
    """The last adapter that was trained."""
    made: str = ""
    """The adapter that was made of it."""


class FineTune(Resource):
    definition: ClassVar[Definition] = Definition(
        "finetunes", "qft",
        (
            Column("Step", ".status.training.step", "integer"),
            Column("Of", ".status.training.steps", "integer"),
            Column("Held-out-loss", ".status.training.heldOutLoss", "number"),
            Column("Result", ".status.result.digest", priority=1),
        ),
        rules=(
            NAME_RULE,
            Rule("spec.data.source", *FILE_RULE),
            Rule("spec.method", "self != 'Full'", NOT_FULL),
            Rule("spec", "!(has(self.search) && has(self.augmentation))", NOT_BOTH),
            Rule("spec.augmentation.templates", "self.all(t, t.matches('^[^{}]*[{]question[}][^{}]*$'))", NO_QUESTION),
            *canary_rules("spec.adapter.rollout"),
        ),
    )  # fmt: skip
    kind: Literal["FineTune"] = "FineTune"
    spec: FineTuneSpec
    status: FineTuneStatus = FineTuneStatus()
