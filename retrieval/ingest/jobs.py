"""Documents in work: one for each tenant, so that no tenant's document waits for another's."""

from collections.abc import Callable, Generator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any

from retrieval.ingest.ledger import Document

# A document is worked on in steps. A step returns what it waits for, or None.
Steps = Generator["Future[Any] | None", None, None]

MOST = 8  # documents at once; each may have a parser's process
POLL_S = 0.05  # for a parser's answer, while nothing else is to be done


@dataclass(frozen=True)
class Job:
    document: Document
    steps: Steps


class Jobs:
    """`is_current` says whether a document in work is still wanted as it is; otherwise its job is dropped."""

    def __init__(self, is_current: Callable[[Document], bool]) -> None:
        self._is_current = is_current
        self._by_tenant: dict[str, Job] = {}

    def __bool__(self) -> bool:
        return bool(self._by_tenant)

    @property
    def tenants(self) -> frozenset[str]:
        return frozenset(self._by_tenant)

    @property
    def has_room(self) -> bool:
        return len(self._by_tenant) < MOST

    def add(self, document: Document, steps: Steps) -> None:
        self._by_tenant[document.tenant] = Job(document, steps)

    def advance(self) -> None:
        """One step of each job. Waits a moment if all of them wait for a parser."""
        waits_for = [self._step(tenant, job) for tenant, job in tuple(self._by_tenant.items())]
        parsers = [future for future in waits_for if future is not None]
        if parsers and len(parsers) == len(waits_for):
            wait(parsers, POLL_S, FIRST_COMPLETED)

    def _step(self, tenant: str, job: Job) -> "Future[Any] | None":
        if not self._is_current(job.document):
            job.steps.close()
            del self._by_tenant[tenant]
            return None
        try:
            return next(job.steps)
        except BaseException as error:
            del self._by_tenant[tenant]
            if isinstance(error, StopIteration):
                return None
            raise
