"""Adapter: a LoRA on a base model. Its versions are named by the digest of their content."""

import hashlib
from typing import Annotated, Literal

from pydantic import Field, model_validator

from contract import conditions as c
from contract.agent import Fingerprint
from contract.resource import Resource, Status
from contract.value import Digest, Name, Uri, Value

HISTORY_LENGTH = 20

Share = Annotated[float, Field(ge=0, le=1)]


class CanaryStep(Value):
    """So much of the traffic for so long at least."""

    weight: Annotated[int, Field(ge=1, le=99)]
    """The candidate's share of the requests, in percent."""
    seconds: Annotated[int, Field(ge=0, le=7 * 86400)] = 60
    """The shortest time of the step, in seconds."""


class CanaryChecks(Value):
    """What may differ between the candidate and the running version. Shifts are of shares of answers.

    Nothing is judged before each of both has answered `minRequests`.
    """

    min_requests: Annotated[int, Field(ge=1, le=1_000_000)] = 50
    """Requests that each of both must have answered before they are compared."""
    max_error_increase: Share = 0.02
    """How much higher the candidate's share of failed requests may be."""
    max_abstention_shift: Share = 0.2
    """How far the share of grounded answers that cite nothing may differ."""
    max_finish_shift: Share = 0.2
    """How far the share of answers that end by themselves may differ."""
    max_latency_ratio: Annotated[float, Field(gt=1, le=100)] = 1.5
    """How many times longer the candidate's time to the first token may be."""
    max_length_ratio: Annotated[float, Field(gt=1, le=100)] = 3.0
    """How many times longer or shorter the candidate's answers may be."""


class Canary(Value):
    """A new version takes over step by step, and goes back by itself when it answers worse."""

    steps: Annotated[tuple[CanaryStep, ...], Field(min_length=1, max_length=10)]
    """Shares of the traffic in the order in which they are taken; each is higher than the one before."""
    checks: CanaryChecks = CanaryChecks()
    """What may differ between the candidate and the running version."""

    @model_validator(mode="after")
    def _steps_go_up(self) -> "Canary":
        weights = [step.weight for step in self.steps]
        if weights != sorted(set(weights)):
            raise ValueError(f"the weights of the steps {weights} must go up from each to the next")
        return self


class Rollout(Value):
    """Without a canary a version takes over as soon as every replica has had an answer from it."""

    keep_previous: Annotated[int, Field(ge=0, le=5)] = 1
    """Earlier versions that stay in the engines for an instant rollback, as far as there is room."""
    canary: Canary | None = None
    """How a new version takes over step by step; without it, all at once."""


class Residency(Value):
    """What stays when a base model has room for fewer versions than are wanted."""

    pinned: bool = False
    """Whether it is among the last to leave."""


class AdapterSpec(Value):
    """Where an adapter's content lies, and how new content is released."""

    base_model: Name
    """The BaseModel that it was trained on."""
    source: Uri
    """A directory with adapter_config.json and adapter_model.safetensors, under hf://, s3://, gs://, https://, oci://,
    pvc:// or file://."""
    digest: Digest | None = None
    """The SHA-256 of the content, in hexadecimal digits: any other content at the source is refused."""
    credentials: Name | None = None
    """A Secret in the adapter's namespace with what the source asks for."""
    knowledge_bases: Annotated[tuple[Name, ...], Field(max_length=16)] = ()
    """Knowledge bases of the same namespace that its answers are grounded in."""
    rollout: Rollout = Rollout()
    """How new content is released."""
    residency: Residency = Residency()
    """What stays when there is room for fewer versions than are wanted."""


class Version(Value):
    """One content of an adapter on one base model."""

    digest: Digest
    """The SHA-256 of the content."""
    engine_name: str
    """What the engines know it as."""
    base_model: Name
    """The BaseModel that it runs on."""
    source: Uri
    """Where it came from."""
    fingerprint: Fingerprint | None = None
    """What it answered when it was first loaded."""

    @property
    def place(self) -> tuple[str, str, str, str]:
        """All that makes it what it is; a fingerprint is only what it answers."""
        return (self.digest, self.engine_name, self.base_model, self.source)


class ActiveVersion(Version):
    """What the adapter's name stands for."""

    generation: int
    """Grows by one with each flip, and with each canary that is taken back."""


class CanaryVersion(Version):
    """The version that has a part of the traffic."""

    step: int
    """The step that it is at, from 0."""
    weight: int
    """Its share of the requests, in percent."""
    since: str
    """When the step began, in ISO 8601."""


class Rejection(Value):
    """A content that is not released again while neither its source nor its rollout says anything new."""

    offer: str
    """The source and the rollout that the rejection is of."""
    digest: Digest
    """The SHA-256 of the content."""
    reason: str
    """Why, in one word."""
    message: str = ""
    """The evidence."""


class HistoryEntry(Value):
    """What the adapter's name came to stand for, and why."""

    at: str
    """When, in ISO 8601."""
    event: Literal["Released", "CanaryStarted", "CanaryFailed", "Promoted", "RolledBack", "Refused", "DecisionRefused"]
    """What happened."""
    digest: Digest | None = None
    """The SHA-256 of the content."""
    source: str = ""
    """Where it came from."""
    message: str = ""
    """The evidence."""
    decision: str = ""
    """The decision by hand that it came from."""


class AdapterStatus(Status):
    """What is known of the adapter."""

    active: ActiveVersion | None = None
    """What the adapter's name stands for."""
    canary: CanaryVersion | None = None
    """The version that has a part of the traffic."""
    previous: Annotated[tuple[Version, ...], Field(max_length=5)] = ()
    """Earlier versions that a rollback can return to, the newest first."""
    rejected: Rejection | None = None
    """A version that was taken back."""
    history: Annotated[tuple[HistoryEntry, ...], Field(max_length=HISTORY_LENGTH)] = ()
    """What the name has stood for, the newest first."""
    handled: str = ""
    """The last decision by hand that was carried out."""
    acknowledged: int = 0
    """The generation of the last flip that every gateway routes by: no request that begins afterwards is answered by an
    older version."""
    candidate: Digest | None = None
    """What the source holds."""
    draining: tuple[str, ...] = ()
    """Versions that still answer requests which began with them."""
    replicas_ready: int = 0
    """Engines that answer with the active version."""
    replicas_desired: int = 0
    """Engines that should."""

    @property
    def routed(self) -> bool:
        """Every gateway has taken up the last flip."""
        return self.active is not None and self.acknowledged == self.active.generation


class Decision(Value):
    """What somebody decided by hand. `id` tells it from the same decision made again; it holds only while the version
    that it was made `against` is the active one."""

    id: Annotated[str, Field(min_length=1, max_length=64)]
    action: Literal["Promote", "Rollback"]
    against: Digest | None = None
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{6,64}$")] | None = None


class Adapter(Resource):
    kind: Literal["Adapter"] = "Adapter"
    spec: AdapterSpec
    status: AdapterStatus = AdapterStatus()

    def offer(self, revision: str) -> str:
        """What a rejection is a rejection of: the source at this revision, released in this way."""
        return hashlib.sha256(f"{revision}\0{self.spec.rollout.model_dump_json()}".encode()).hexdigest()[:16]

    def harms(self, revision: str) -> bool:
        """Whether an engine was harmed by what the source holds at this revision."""
        rejected = self.status.rejected
        return rejected is not None and rejected.reason in c.HARMFUL and rejected.offer == self.offer(revision)
