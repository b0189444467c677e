"""Bodies between the operator and an engine's agent."""

from typing import Annotated, Literal

from pydantic import Field

from contract.value import Digest, Name, Uri, Value

AdapterState = Literal["Fetching", "Loading", "Ready", "Failed"]


TopTokens = Annotated[tuple[tuple[str, float], ...], Field(min_length=1, max_length=64)]


class Fingerprint(Value):
    """For each of a frozen set of prompts the likeliest first tokens and their log-probabilities, in nats.

    Other releases of the `engine` and other hardware may sum in another order. The base model's answers show this, and
    such fingerprints are not compared.
    """

    engine: str
    """The engine's release."""
    base: Annotated[tuple[TopTokens, ...], Field(max_length=64)] = ()
    """The base model's answers on the same engine."""
    prompts: Annotated[tuple[TopTokens, ...], Field(min_length=1, max_length=64)]
    """For each prompt the likeliest first tokens, and their log-probabilities."""


class DesiredAdapter(Value):
    """One version to hold.

    A candidate has a `source` and a `revision`, changing whenever the source's content may change; its optional
    `digest` is a pin. A version without a source is in the agent's store under its digest. A `required` version must
    answer before the replica takes any traffic. `fingerprint` are the version's answers at its first load anywhere; a
    version with different answers is another one. `credentials` are for the source, and in no status.
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
    def is_verified(self) -> bool:
        """Verified before, according to the operator. A pin alone proves no right to read: the author of a digest may
        lack access to its content."""
        return self.digest is not None and self.revision == verified_revision(self.digest)


def verified_revision(digest: str) -> str:
    """The revision of a verified version."""
    return f"sha256:{digest}"


class DesiredSet(Value):
    """The complete set of one agent; other adapters in its engine are unloaded."""

    adapters: tuple[DesiredAdapter, ...] = ()


class AdapterReport(Value):
    """The progress of one desired version. `reason` and `message` describe a failure."""

    tenant: Name
    adapter: Name
    revision: str
    state: AdapterState
    digest: Digest | None = None
    engine_name: str | None = None
    fingerprint: Fingerprint | None = None
    made_for: str = ""
    """The base model named by the adapter's own configuration."""
    reason: str = ""
    message: str = ""


class AgentStatus(Value):
    """`version` grows with every change; `started` is the engine's start in Unix seconds, None while it is down.

    `spoiled_by` names a version after whose load the base model's answers changed: the engine must be restarted.
    """

    version: int
    ready: bool
    started: float | None
    spoiled_by: str | None = None
    adapters: tuple[AdapterReport, ...] = ()

    def report(self, tenant: str, adapter: str, revision: str) -> AdapterReport | None:
        identity = (tenant, adapter, revision)
        return next((h for h in self.adapters if (h.tenant, h.adapter, h.revision) == identity), None)

    @property
    def answering(self) -> frozenset[str]:
        return frozenset(h.engine_name for h in self.adapters if h.state == "Ready" and h.engine_name)
