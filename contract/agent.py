"""What the operator and an engine's agent say to each other."""

from typing import Annotated, Literal

from pydantic import Field

from contract.value import Digest, Name, Uri, Value

HeldState = Literal["Fetching", "Loading", "Ready", "Failed"]


TopTokens = Annotated[tuple[tuple[str, float], ...], Field(min_length=1, max_length=64)]


class Fingerprint(Value):
    """For each of a frozen set of prompts the likeliest first tokens and their log-probabilities, in nats.

    Another release of the `engine` may add up in another order, and so may other hardware, which the base model's own
    answers show: such fingerprints are not compared.
    """

    engine: str
    """The engine's release."""
    base: Annotated[tuple[TopTokens, ...], Field(max_length=64)] = ()
    """What the base model answered on the same engine."""
    prompts: Annotated[tuple[TopTokens, ...], Field(min_length=1, max_length=64)]
    """For each prompt the likeliest first tokens, and their log-probabilities."""


class DesiredAdapter(Value):
    """One version to hold.

    A candidate has a `source` and a `revision` that changes whenever the source may hold other content; its
    `digest`, if there is one, is a pin. A version without a source is in the agent's store under its digest.
    A `required` version must answer before the replica takes any traffic. `fingerprint` is what the version answered
    when it was first loaded anywhere; one that answers otherwise is not this version. `credentials` are for the
    source, and are in no status.
    """

    tenant: Name
    adapter: Name
    source: Uri | None
    revision: str
    digest: Digest | None = None
    required: bool = False
    fingerprint: Fingerprint | None = None
    credentials: tuple[tuple[str, str], ...] = Field(default=(), repr=False)

    @property
    def is_known(self) -> bool:
        """The operator has seen it verified. A pin alone is no proof of access: whoever writes a digest need not be
        allowed to read what it names."""
        return self.digest is not None and self.revision == known_revision(self.digest)


def known_revision(digest: str) -> str:
    """The revision of a version that was verified before."""
    return f"sha256:{digest}"


class DesiredSet(Value):
    """All that one agent should hold; whatever else its engine has is unloaded."""

    adapters: tuple[DesiredAdapter, ...] = ()


class HeldAdapter(Value):
    """How far one desired version is. `reason` and `message` carry the fact that failed."""

    tenant: Name
    adapter: Name
    revision: str
    state: HeldState
    digest: Digest | None = None
    engine_name: str | None = None
    fingerprint: Fingerprint | None = None
    made_for: str = ""
    """The base model that the adapter's own configuration names."""
    reason: str = ""
    message: str = ""


class AgentStatus(Value):
    """`version` grows with every change; `started` is the engine's start in Unix seconds, None while it is down.

    `spoiled_by` names the version after whose load the base model answered otherwise: the engine is to be restarted.
    """

    version: int
    ready: bool
    started: float | None
    spoiled_by: str | None = None
    adapters: tuple[HeldAdapter, ...] = ()

    def report(self, tenant: str, adapter: str, revision: str) -> HeldAdapter | None:
        wanted = (tenant, adapter, revision)
        return next((h for h in self.adapters if (h.tenant, h.adapter, h.revision) == wanted), None)

    @property
    def answering(self) -> frozenset[str]:
        return frozenset(h.engine_name for h in self.adapters if h.state == "Ready" and h.engine_name)
