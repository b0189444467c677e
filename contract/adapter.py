"""Adapter: a LoRA on a base model, a prompt, or both. A version is a content with its prompt, named by a digest."""

import hashlib
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from contract import conditions as c
from contract.agent import Fingerprint
from contract.definition import NAME_RULE, Column, Definition, Rule
from contract.prompt import Prompt
from contract.resource import Resource, Status
from contract.value import Digest, Name, Uri, Value

HISTORY_LENGTH = 20
FINE_TUNE = "finetune://"
NO_CONTENT = hashlib.sha256().hexdigest()  # of a version that is a prompt alone
_SHOWN_DIGITS = 12

_MARK = "[1]"
_NO_MARK = "show the mark of a passage, [1]: without marks answers have no citations"
REPLICAS_ON_DEMAND = "an adapter on demand is in no engine's memory; remove residency.replicas, or residency.mode"
PINNED_ON_DEMAND = "an adapter is pinned or on demand, not both; remove residency.pinned, or residency.mode"
_NOTHING = "give source, prompt or both; digest and credentials belong to a source"

Share = Annotated[float, Field(ge=0, le=1)]


def short(digest: str) -> str:
    """The beginning of a digest, for messages and for names of versions."""
    return digest[:_SHOWN_DIGITS]


def version_digest(content: str, prompt: Prompt | None) -> str:
    """The digest of a version of this content with this prompt."""
    return hashlib.sha256(f"{content}\0{prompt.digest}".encode()).hexdigest() if prompt else content


def comparison(tenant: str, adapter: str, version: str) -> str:
    """The name of a canary in comparisons, from its digest. Versions without content share an engine's name."""
    return f"{tenant}.{adapter}@{short(version)}"


class CanaryStep(Value):
    """A share of the traffic, and the minimum time for it."""

    weight: Annotated[int, Field(ge=1, le=99)]
    """The candidate's share of the requests, in percent."""
    seconds: Annotated[int, Field(ge=0, le=7 * 86400)] = 60
    """The minimum duration of the step, in seconds."""


class CanaryChecks(Value):
    """Allowed differences between the candidate and the running version. A shift is a difference between two shares.

    The comparison starts after `minRequests` answers from each version.
    """

    min_requests: Annotated[int, Field(ge=1, le=1_000_000)] = 50
    """The number of answers from each version before the comparison starts."""
    max_error_increase: Share = 0.02
    """How much higher the candidate's share of failed requests may be."""
    max_abstention_shift: Share = 0.2
    """Largest difference in the share of grounded answers without a citation."""
    max_finish_shift: Share = 0.2
    """Largest difference in the share of answers with finish_reason "stop", in either direction."""
    max_latency_ratio: Annotated[float, Field(gt=1, le=100)] = 1.5
    """How many times longer the candidate's time to the first token may be."""
    max_length_ratio: Annotated[float, Field(gt=1, le=100)] = 3.0
    """How many times longer or shorter the candidate's answers may be."""


class Canary(Value):
    """A new version takes over step by step, and is withdrawn automatically if it answers worse."""

    steps: Annotated[tuple[CanaryStep, ...], Field(min_length=1, max_length=10)]
    """Shares of the traffic in order; each is higher than the one before."""
    checks: CanaryChecks = CanaryChecks()
    """Allowed differences between the candidate and the running version."""

    @model_validator(mode="after")
    def _steps_go_up(self) -> "Canary":
        weights = [step.weight for step in self.steps]
        if weights != sorted(set(weights)):
            raise ValueError(f"the weights of the steps {weights} must go up from each to the next")
        return self


class Rollout(Value):
    """Without a canary, a new version takes over as soon as it has answered on every replica."""

    keep_previous: Annotated[int, Field(ge=0, le=5)] = 1
    """Earlier versions kept in the engines for an instant rollback, as far as there is room."""
    canary: Canary | None = None
    """How a new version takes over step by step; without it, all at once."""


class Residency(Value):
    """Whether its weights stay in the engines' memory when there is room for fewer versions than wanted."""

    mode: Literal["Everywhere", "OnDemand"] = "Everywhere"
    """Everywhere: in every engine's memory, as far as its tenant's share of the room reaches. OnDemand: on the engines'
    disks, and in memory after a request asked for it."""
    replicas: Annotated[int, Field(ge=1, le=1000)] | None = None
    """In the memory of so many engines, which its requests go to first; the others load it when one comes. By default
    all engines are equal."""
    pinned: bool = False
    """True if it comes before other adapters. A tenant may pin as many as its maxPinnedAdapters says."""

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "Residency":
        if self.pinned and self.mode == "OnDemand":
            raise ValueError(PINNED_ON_DEMAND)
        if self.replicas and self.mode == "OnDemand":
            raise ValueError(REPLICAS_ON_DEMAND)
        return self


class AdapterSpec(Value):
    """The parts of an adapter, and the rollout of changes."""

    base_model: Name
    """The BaseModel it was trained on."""
    source: Uri | None = None
    """A directory with adapter_config.json and adapter_model.safetensors, under hf://, s3://, gs://, https://, oci://,
    pvc:// or file://; or finetune://NAME, for the result of the FineTune of that name in the same namespace. Without
    one, the base model itself answers, with the prompt."""
    prompt: Prompt | None = None
    """What the model reads before each conversation. A change is released as new content is."""
    digest: Digest | None = None
    """The SHA-256 of the content, in hexadecimal digits: any other content at the source is refused."""
    credentials: Name | None = None
    """A Secret in the adapter's namespace with the source's credentials."""
    knowledge_bases: Annotated[tuple[Name, ...], Field(max_length=16)] = ()
    """Knowledge bases of the same namespace whose documents ground its answers."""
    rollout: Rollout = Rollout()
    """How new content is released."""
    residency: Residency = Residency()
    """Whether its weights stay in the engines' memory when there is room for fewer versions than wanted."""

    @model_validator(mode="after")
    def _is_something(self) -> "AdapterSpec":
        if self.source is None and (self.prompt is None or self.digest or self.credentials):
            raise ValueError(_NOTHING)
        if self.prompt and self.prompt.grounding and _MARK not in self.prompt.grounding:
            raise ValueError(f"prompt.grounding: {_NO_MARK}")
        return self

    @property
    def fine_tune(self) -> str | None:
        """The FineTune of the served result."""
        is_trained = self.source is not None and self.source.startswith(FINE_TUNE)
        return self.source.removeprefix(FINE_TUNE) if self.source and is_trained else None


class Version(Value):
    """One content of an adapter on one base model, with its prompt."""

    digest: Digest
    """Names the version: the SHA-256 of its content, with a prompt that of both."""
    content: Digest | None = None
    """The SHA-256 of the content of a version with a prompt; that of nothing, if the base model itself answers."""
    engine_name: str
    """The engines' name for it."""
    base_model: Name
    """The BaseModel it runs on."""
    source: Uri | None = None
    """Its source."""
    prompt: Prompt | None = None
    """What the model reads before each conversation."""
    fingerprint: Fingerprint | None = None
    """Its answers when it was first loaded."""

    @property
    def content_digest(self) -> str:
        return self.content or self.digest

    @property
    def is_base(self) -> bool:
        """True if the base model itself answers."""
        return self.engine_name == self.base_model

    @property
    def identity(self) -> tuple[str, str, str, str | None]:
        """Its complete identity; a fingerprint only describes its answers."""
        return (self.digest, self.engine_name, self.base_model, self.source)


class ActiveVersion(Version):
    """The version behind the adapter's name."""

    generation: int
    """Grows by one with each flip, and with each withdrawn canary."""


class CanaryVersion(Version):
    """The version with a part of the traffic."""

    step: int
    """The current step, from 0."""
    weight: int
    """Its share of the requests, in percent."""
    since: str
    """When the step began, in ISO 8601."""


class Sample(Value):
    """The answers of one version during a trial."""

    requests: int = 0
    """All requests."""
    errors: int = 0
    """Failed requests."""
    grounded: int = 0
    """Answers from documents."""
    uncited: int = 0
    """Answers from documents without a citation."""
    first_token_ms: int | None = None
    """The mean time to the first token, in milliseconds."""
    tokens: float | None = None
    """The mean length of an answer, in tokens."""


class Trial(Value):
    """The figures of a canary beside the active version."""

    digest: Digest
    """The canary's version."""
    at: str
    """When they were collected, in ISO 8601."""
    needed: int
    """The number of answers from each version before they are compared."""
    canary: Sample = Sample()
    """The canary's answers."""
    active: Sample = Sample()
    """The active version's answers meanwhile."""


class Rejection(Value):
    """Content that is not released again while its source and rollout are unchanged."""

    offer: str
    """Identifies the rejected source and rollout."""
    digest: Digest
    """The version, or the SHA-256 of content that harmed an engine."""
    reason: str
    """Why, in one word."""
    message: str = ""
    """The evidence."""


class HistoryEntry(Value):
    """An event of the adapter's rollout, with its reason."""

    at: str
    """When, in ISO 8601."""
    event: Literal["Released", "CanaryStarted", "CanaryFailed", "Promoted", "RolledBack", "Refused", "DecisionRefused"]
    """The kind of event."""
    digest: Digest | None = None
    """The version: the SHA-256 of its content, with a prompt that of both."""
    source: str = ""
    """Its source."""
    message: str = ""
    """The evidence."""
    decision: str = ""
    """The id of the decision by hand that caused it."""


class AdapterStatus(Status):
    """The observed state of the adapter."""

    active: ActiveVersion | None = None
    """The version behind the adapter's name."""
    canary: CanaryVersion | None = None
    """The version with a part of the traffic."""
    trial: Trial | None = None
    """The canary's figures, every few seconds."""
    previous: Annotated[tuple[Version, ...], Field(max_length=5)] = ()
    """Earlier versions available for a rollback, newest first."""
    rejected: Rejection | None = None
    """The last version that was taken back."""
    history: Annotated[tuple[HistoryEntry, ...], Field(max_length=HISTORY_LENGTH)] = ()
    """The latest events of the rollout, newest first."""
    handled: str = ""
    """The id of the last decision by hand that was carried out or refused."""
    acknowledged: int = 0
    """The generation of the last flip confirmed by every gateway: later requests are never answered by an older
    version."""
    candidate: Digest | None = None
    """The version that the spec and the source's present content make."""
    draining: tuple[str, ...] = ()
    """Versions that still answer requests which began with them."""
    replicas_ready: int = 0
    """Engines answering with the active version."""
    replicas_desired: int = 0
    """Engines expected to answer with it."""

    @property
    def routed(self) -> bool:
        """True if every gateway has taken up the last flip."""
        return self.active is not None and self.acknowledged == self.active.generation


class Decision(Value):
    """A decision by hand. `id` distinguishes it from the same decision made again; it is valid only while the version
    in `against` is active."""

    id: Annotated[str, Field(min_length=1, max_length=64)]
    action: Literal["Promote", "Rollback"]
    against: Digest | None = None
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{6,64}$")] | None = None


def canary_rules(path: str) -> tuple[Rule, ...]:
    """The rules of a rollout's canary. `path` is the rollout's."""
    steps = f"{path}.canary.steps"
    return (
        Rule(steps, "self.all(s, self.filter(t, t.weight == s.weight).size() == 1)",
             "each step of a canary needs a weight of its own"),
        Rule(steps, "self.map(s, s.weight).isSorted()",
             "the weights of a canary's steps must increase; put them in order"),
    )  # fmt: skip


# Agents define the schemes: `serving/agent/sources/kinds`; finetune:// stands for a FineTune's result.
_URI = "'^[a-z][a-z0-9+.-]*://.+$'"


class Adapter(Resource):
    definition: ClassVar[Definition] = Definition(
        "adapters", "qa", (Column("Base", ".spec.baseModel"), Column("Version", ".status.active.digest", priority=1)),
        rules=(
            NAME_RULE,
            Rule("spec", "has(self.source) || (has(self.prompt) && !has(self.digest) && !has(self.credentials))",
                 _NOTHING),
            Rule("spec.prompt.grounding", f"self == '' || self.contains('{_MARK}')", _NO_MARK),
            Rule("spec.source", f"self.matches({_URI})",
                 "name where the adapter lies: finetune://, hf://, s3://, gs://, https://, oci://, pvc:// or file://"),
            Rule("spec.residency", "!has(self.replicas) || self.mode == 'Everywhere'", REPLICAS_ON_DEMAND),
            Rule("spec.residency", "!self.pinned || self.mode == 'Everywhere'", PINNED_ON_DEMAND),
            *canary_rules("spec.rollout"),
        ),
    )  # fmt: skip
    kind: Literal["Adapter"] = "Adapter"
    spec: AdapterSpec
    status: AdapterStatus = AdapterStatus()

    def offer(self, revision: str) -> str:
        """Identifies the source at this revision together with the rollout; a rejection stores it."""
        return hashlib.sha256(f"{revision}\0{self.spec.rollout.model_dump_json()}".encode()).hexdigest()[:16]

    def harms(self, revision: str) -> bool:
        """True if the source's content at this revision has harmed an engine."""
        rejected = self.status.rejected
        return rejected is not None and rejected.reason in c.HARMFUL and rejected.offer == self.offer(revision)
