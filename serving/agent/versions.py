"""The desired versions and their progress: fetched, failed, proven."""

import logging
import time
from collections.abc import Mapping

from contract.agent import DesiredAdapter, DesiredSet
from contract.engine_name import engine_name
from serving.agent.errors import AgentError, RefusedError
from serving.agent.metrics import Metrics
from serving.agent.plan import Failure, Progress, name_of, remembered

logger = logging.getLogger(__name__)

Items = tuple[DesiredAdapter, ...]


class Versions:
    """`refusals` are by engine name, from earlier runs of this agent."""

    def __init__(self, refusals: Mapping[str, RefusedError], metrics: Metrics) -> None:
        self._metrics = metrics
        self.desired: DesiredSet | None = None
        self.progress: dict[DesiredAdapter, Progress] = {}
        # By engine name: the same content may be desired under several revisions, and fails under each.
        self._failures = {name: Failure(error, 1, float("inf")) for name, error in refusals.items()}

    def desire(self, desired: DesiredSet) -> None:
        """Replaces the desired set. Of removed entries, only failures in the engine are remembered."""
        self.desired = desired
        verified = {(item.tenant, item.adapter, progress.digest) for item, progress in self.progress.items()}
        self.progress = {item: self.progress.get(item) or self._begin(item, verified) for item in desired.adapters}

    def _begin(self, item: DesiredAdapter, verified: set[tuple[str, str, str | None]]) -> Progress:
        """A version verified under another revision is not verified again: a flip must not make the replica unready."""
        is_verified = (item.tenant, item.adapter, item.digest) in verified
        return self._verified(item, item.digest) if item.digest and is_verified else Progress()

    def _verified(self, item: DesiredAdapter, digest: str) -> Progress:
        return Progress(digest, self._failures.get(engine_name(item.tenant, item.adapter, digest)))

    def reset_for_new_engine(self) -> None:
        """Forgets failures on the previous engine, except refusals."""
        self.progress = {item: progress.for_new_engine for item, progress in self.progress.items()}
        self._failures = {name: failure for name, failure in self._failures.items() if failure.is_final}

    def arrived(self, item: DesiredAdapter, result: str | AgentError) -> None:
        """Records the result of a fetch: the digest, or the failure."""
        if item not in self.progress:
            return
        if isinstance(result, AgentError):
            self.progress[item] = self.progress[item].failed(result, time.monotonic())
            self._report(f"adapter {item.adapter} of tenant {item.tenant}", result)
        else:
            self.progress[item] = self._verified(item, result)

    def fail(self, name: str, items: Items, error: AgentError) -> None:
        now = time.monotonic()
        failure = (self._failures.get(name) or Failure(error, 0, now)).next(error, now)
        self._failures[name] = failure
        for item in items:
            if item in self.progress:
                self.progress[item] = Progress(self.progress[item].digest, failure)
        self._report(name, error)

    def prove(self, name: str, items: Items) -> None:
        """The version answers, so its failures are over."""
        self._failures.pop(name, None)
        for item in items:
            if item in self.progress:
                self.progress[item] = Progress(digest=self.progress[item].digest)

    def attempts(self, name: str) -> int:
        failure = self._failures.get(name)
        return failure.attempts if failure else 0

    def digest(self, items: Items) -> str | None:
        """The digest of the first verified item that is still desired."""
        digests = (progress.digest for item in items if (progress := self.progress.get(item)))
        return next((digest for digest in digests if digest), None)

    def needed(self) -> frozenset[str]:
        """Digests that loading a desired version may still need."""
        digests = (progress.digest or item.digest for item, progress in self.progress.items())
        return frozenset(digest for digest in digests if digest)

    def resident_names(self) -> frozenset[str] | None:
        """The engine names of versions with a place in the engine's memory; None if there is room for all."""
        if self.desired is None or self.desired.residents is None:
            return None
        residents = self.desired.residents
        names = (name_of(item, each) for item, each in self.progress.items() if item.version_name in residents)
        return frozenset(name for name in names if name)

    def tidy(self) -> set[str | None]:
        """Drops failures of unwanted versions. Returns the engine names of the desired ones."""
        names = {name_of(item, progress) for item, progress in self.progress.items()}
        self._failures = remembered(self._failures, {*filter(None, names)}, time.monotonic())
        return names

    def required_are_settled(self, answered: Mapping[str, object]) -> bool:
        """True if every required version answers, is refused, or has failed so often that readiness no longer waits."""
        return self.desired is not None and all(
            name_of(item, progress) in answered or (progress.failure is not None and progress.failure.settled)
            for item, progress in self.progress.items()
            if item.required
        )

    def _report(self, what: str, error: AgentError) -> None:
        self._metrics.failures.labels(error.reason).inc()
        logger.warning("%s: %s: %s", what, error.reason, error.message)
