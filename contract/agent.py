"""Bodies between the operator and an engine's agent."""

from typing import Annotated, Literal

from pydantic import Field

from contract.value import Digest, Name, Uri, Value

AdapterState = Literal["Fetching", "Loading", "Ready", "Failed"]


TopTokens = Annotated[tuple[tuple[str, float], ...], Field(min_length=1, max_length=64)]


class Fingerprint(Value):
    """The likeliest first tokens for each prompt of a frozen set, with their log-probabilities in nats.

    Another release of the `engine` or other hardware may add floating-point numbers in another order. The base model's
    answers then differ too, and such fingerprints are not compared.
    """

    engine: str
    """The engine's release."""
    base: Annotated[tuple[TopTokens, ...], Field(max_length=64)] = ()
    """The base model's answers on the same engine."""
    prompts: Annotated[tuple[TopTokens, ...], Field(min_length=1, max_length=64)]
    """For each prompt, the version's likeliest first tokens and their log-probabilities."""


class DesiredAdapter(Value):
    """One version that the agent must have.

    A candidate has a `source` and a `revision`, which changes with the source's URI or pin, with the base model, and
    with the files of a local directory; its optional `digest` is a pin. A version without a source is in the agent's
    store under its digest. A `required` version must answer before the replica takes any traffic. `fingerprint` holds
    the version's answers at its first load on any replica; other answers mean other weights. `credentials` are for the
    source, and appear in no status.
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
    def version_name(self) -> "VersionName":
        return (self.tenant, self.adapter, self.revision)

    @property
    def is_verified(self) -> bool:
        """True if the operator knows that this version was verified before. A pin alone proves no right to read: the
        author of a pin may have no access to its content."""
        return self.digest is not None and self.revision == verified_revision(self.digest)


def verified_revision(digest: str) -> str:
    """The revision of a verified version."""
    return f"sha256:{digest}"


VersionName = tuple[str, str, str]
"""The tenant, the adapter and the revision of one desired version."""


class DesiredSet(Value):
    """The complete desired set of one agent; other adapters in its engine are unloaded.

    `residents` are the versions that keep their places in the engine's memory; None if there is room for all.
    """

    adapters: tuple[DesiredAdapter, ...] = ()
    residents: frozenset[VersionName] | None = None


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

    `spoiled_by` is the engine name of a version whose load changed the base model's answers: the engine must restart.
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
