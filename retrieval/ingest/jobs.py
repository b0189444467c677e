"""Documents in work: one for each of up to `MOST` tenants, so that none of them waits for another's."""

from collections.abc import Callable, Generator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any

from retrieval.ingest.ledger import Document

# A document is worked on in steps. A step returns what it waits for, or None.
Steps = Generator["Future[Any] | None", None, None]

MOST = 8  # documents at once; each may have a parser's process
POLL_S = 0.05  # for a parser's answer, while nothing else is to be done


@dataclass
class Job:
    document: Document
    steps: Steps
    waits_for: "Future[Any] | None" = None
    is_dropped: bool = False


class Jobs:
    """`is_listed` says whether a document in work still has a file; otherwise its job is dropped. A tenant's turn ends
    with its parser, so it never has two.
    """

    def __init__(self, is_listed: Callable[[Document], bool]) -> None:
        self._is_listed = is_listed
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
        if not job.is_dropped and not self._is_listed(job.document):
            job.steps.close()
            job.steps, job.is_dropped = _until_done(job.waits_for), True
        try:
            job.waits_for = next(job.steps)
            return job.waits_for
        except BaseException as error:
            del self._by_tenant[tenant]
            if isinstance(error, StopIteration):
                return None
            raise


def _until_done(future: "Future[Any] | None") -> Steps:
    while future is not None and not future.done():
        yield future
