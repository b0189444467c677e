"""Desired versions and their progress → next actions on the engine (pure)."""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from contract.agent import AdapterReport, DesiredAdapter, Fingerprint
from contract.engine_name import EngineName, engine_name
from service.backoff import Backoff
from serving.agent.errors import AgentError, RefusedError

LAST_RETRY_S = 60.0
BACKOFF = Backoff(first_s=1.0, last_s=LAST_RETRY_S)
# After this many failures on one engine, the replica may become ready without a required version.
SETTLED_ATTEMPTS = 3
MAX_REMEMBERED = 10_000
# Refusals that a change at the source can end, without a change of the spec.
FIXABLE_AT_SOURCE = frozenset({"SourceMissing", "FileMissing", "AccessDenied"})


@dataclass(frozen=True)
class Failure:
    error: AgentError
    attempts: int
    retry_at: float  # seconds on the monotonic clock; infinity for refused ones

    def next(self, error: AgentError, now: float) -> "Failure":
        attempts = self.attempts + 1
        delay = BACKOFF.delay(attempts)
        if isinstance(error, RefusedError):
            delay = LAST_RETRY_S if error.reason in FIXABLE_AT_SOURCE else float("inf")
        return Failure(error, attempts, now + delay)

    @property
    def is_final(self) -> bool:
        """Nothing is tried again until the content changes."""
        return self.retry_at == float("inf")

    @property
    def settled(self) -> bool:
        """The replica's readiness no longer waits for this version."""
        return isinstance(self.error, RefusedError) or self.attempts >= SETTLED_ATTEMPTS


@dataclass(frozen=True)
class Progress:
    """The progress of one desired version. The digest survives failures: the files stay verified."""

    digest: str | None = None
    failure: Failure | None = None

    def due(self, now: float) -> bool:
        return self.failure is None or self.failure.retry_at <= now

    def failed(self, error: AgentError, now: float) -> "Progress":
        before = self.failure or Failure(error, 0, now)
        return Progress(self.digest, before.next(error, now))

    @property
    def for_new_engine(self) -> "Progress":
        """A failure on one engine says nothing about the next engine."""
        keep = self.failure if self.failure and isinstance(self.failure.error, RefusedError) else None
        return Progress(self.digest, keep)


@dataclass(frozen=True)
class Plan:
    """Adapter versions by their names in the engine, in the order of the steps."""

    load: tuple[str, ...]
    probe: tuple[str, ...]
    unload: tuple[str, ...]


def plan(desired: frozenset[str], undecided: frozenset[str], loaded: frozenset[str], answered: frozenset[str]) -> Plan:
    """Load and prove missing versions before unloading any; undecided ones stay."""
    return Plan(
        load=tuple(sorted(desired - loaded)),
        probe=tuple(sorted(desired - (answered & loaded))),
        unload=tuple(sorted(loaded - desired - undecided)),
    )


def name_of(item: DesiredAdapter, progress: Progress) -> str | None:
    digest = progress.digest or item.digest
    return engine_name(item.tenant, item.adapter, digest) if digest else None


def desired_entries(
    progress: Mapping[DesiredAdapter, Progress], loaded: frozenset[str], answered: frozenset[str], now: float
) -> dict[str, tuple[DesiredAdapter, ...]]:
    """Engine name → its desired entries, without those waiting for a retry.

    A version not yet verified here counts if the engine has it: an earlier life of this agent loaded it.
    """
    entries: dict[str, tuple[DesiredAdapter, ...]] = {}
    for item, state in progress.items():
        name = name_of(item, state)
        if name is None or (state.digest is None and name not in loaded):
            continue
        if state.due(now) or name in answered:
            entries[name] = (*entries.get(name, ()), item)
    return entries


def undecided(progress: Mapping[DesiredAdapter, Progress], loaded: frozenset[str]) -> frozenset[str]:
    """Possibly wanted adapters in the engine: a candidate's digest is unknown before it is fetched."""
    open_ = {
        (item.tenant, item.adapter)
        for item, state in progress.items()
        if name_of(item, state) is None and state.failure is None
    }
    versions = {name: EngineName.parse(name) for name in loaded}
    return frozenset(
        name for name, version in versions.items() if version and (version.tenant, version.adapter) in open_
    )


def remembered(failures: Mapping[str, Failure], names: Set[str], now: float) -> dict[str, Failure]:
    """Keeps the failures of `names`; others for LAST_RETRY_S after their retry would have been due."""
    kept = [
        (name, failure) for name, failure in failures.items() if name in names or failure.retry_at + LAST_RETRY_S > now
    ]
    return dict(kept[-MAX_REMEMBERED:])


def report_of(
    item: DesiredAdapter,
    progress: Progress,
    answered: frozenset[str],
    fingerprint: Fingerprint | None,
    made_for: str = "",
) -> AdapterReport:
    """The report of one version."""
    report = AdapterReport(
        tenant=item.tenant, adapter=item.adapter, revision=item.revision, state="Fetching", made_for=made_for
    )
    name = name_of(item, progress)
    if name in answered:
        fields = {"digest": progress.digest or item.digest, "engine_name": name, "fingerprint": fingerprint}
        return report.model_copy(update={**fields, "state": "Ready"})
    if progress.digest:
        report = report.model_copy(update={"digest": progress.digest, "engine_name": name, "state": "Loading"})
    if progress.failure:
        error = progress.failure.error
        report = report.model_copy(update={"state": "Failed", "reason": error.reason, "message": error.message})
    return report
