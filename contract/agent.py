"""Bodies between the operator and an engine's agent."""

import hashlib
from functools import cached_property, lru_cache
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
    """One desired version.

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

    def __hash__(self) -> int:
        """Of the name alone: fingerprints have hundreds of numbers."""
        return hash(self.version_name)

    @cached_property
    def version_name(self) -> "VersionName":
        return (self.tenant, self.adapter, self.revision)

    @cached_property
    def number(self) -> int:
        """256 bits that differ for other content."""
        return _number(self.model_dump_json(exclude_defaults=True))

    @property
    def is_verified(self) -> bool:
        """True if the operator has seen a verification of this version. A pin alone proves no right to read: the
        author of a pin may have no access to its content."""
        return self.digest is not None and self.revision == verified_revision(self.digest)


def verified_revision(digest: str) -> str:
    """The revision of a verified version."""
    return f"sha256:{digest}"


VersionName = tuple[str, str, str]
"""The tenant, the adapter and the revision of one desired version."""


AdapterName = tuple[str, str]
"""A tenant and one of its adapters."""

_MODULUS = 1 << 256


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


def set_digest(adapters: int, residents: "frozenset[VersionName] | None") -> str:
    """The digest of a desired set, from the sum of the numbers of its adapters. A sum does not depend on their order,
    and a change costs what has changed. It tells apart sets of one operator, and is no protection against forged
    ones."""
    return f"{(adapters + _residents_number(residents)) % _MODULUS:064x}"


@lru_cache(maxsize=64)  # replicas share their residents, and most changes are of others
def _residents_number(residents: "frozenset[VersionName] | None") -> int:
    return 0 if residents is None else sum(_number(repr(name)) for name in ("residents", *residents))


class DesiredSet(Value):
    """The complete desired set of one agent; other adapters in its engine are unloaded.

    `residents` are the versions that keep their places in the engine's memory; None if there is room for all.
    """

    adapters: tuple[DesiredAdapter, ...] = ()
    residents: frozenset[VersionName] | None = None

    @cached_property
    def digest(self) -> str:
        return set_digest(sum(item.number for item in self.adapters), self.residents)

    def changed(self, change: "DesiredChange") -> "DesiredSet | None":
        """The set after the change; None if the change is one of another set."""
        if change.before != self.digest:
            return None
        new = {item.version_name: item for item in change.adapters}
        removed = frozenset(change.removed)
        kept = [new.pop(item.version_name, item) for item in self.adapters if item.version_name not in removed]
        adapters = tuple(sorted((*kept, *new.values()), key=lambda item: not item.required))
        residents = self.residents
        if residents is not None:
            residents = (residents - frozenset(change.former_residents)) | frozenset(change.new_residents)
        after = DesiredSet.model_construct(adapters=adapters, residents=residents)
        return after if after.digest == change.after else None


class DesiredChange(Value):
    """A change of a desired set, from the one with the digest `before` to the one with the digest `after`.

    `adapters` are new, or replace those of the same name. Residents change only in a set naming them.
    """

    before: Digest
    after: Digest
    adapters: tuple[DesiredAdapter, ...] = ()
    removed: tuple[VersionName, ...] = ()
    new_residents: tuple[VersionName, ...] = ()
    former_residents: tuple[VersionName, ...] = ()


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

    @cached_property
    def version_name(self) -> VersionName:
        return (self.tenant, self.adapter, self.revision)


class AgentStatus(Value):
    """`version` grows with every change; `started` is the engine's start in Unix seconds, None while it is down.

    `spoiled_by` is the engine name of a version whose load changed the base model's answers: the engine must restart.
    With `since`, only the adapters that changed after that version are here, and `removed` are no longer desired.
    """

    version: int
    ready: bool
    started: float | None
    spoiled_by: str | None = None
    adapters: tuple[AdapterReport, ...] = ()
    since: int | None = None
    removed: tuple[VersionName, ...] = ()

    def report(self, tenant: str, adapter: str, revision: str) -> AdapterReport | None:
        identity = (tenant, adapter, revision)
        return next((entry for entry in self.adapters if entry.version_name == identity), None)

    @property
    def answering(self) -> frozenset[str]:
        return frozenset(e.engine_name for e in self.adapters if e.state == "Ready" and e.engine_name)
