"""Documents in work: one for each of up to `MOST` tenants, so that none of them waits for another's, and a few more of
tenants with many, so that parsers, the embedder and the store work at the same time."""

from collections.abc import Callable, Generator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any

from retrieval.ingest.ledger import Document

# A document is worked on in steps. A step returns what it waits for, or None.
Steps = Generator["Future[Any] | None", None, None]

MOST = 8  # tenants at once; each document may have a parser's process
MOST_MORE = 2  # documents beside the first one of a tenant
POLL_S = 0.05  # for the answer of a parser or the embedder, while nothing else is to be done


@dataclass
class Job:
    document: Document
    steps: Steps
    waits_for: "Future[Any] | None" = None
    is_dropped: bool = False


class Jobs:
    """`is_listed` says whether a document in work still has a file; otherwise its job is dropped."""

    def __init__(self, is_listed: Callable[[Document], bool]) -> None:
        self._is_listed = is_listed
        self._by_id: dict[str, Job] = {}

    def __bool__(self) -> bool:
        return bool(self._by_id)

    @property
    def documents(self) -> frozenset[str]:
        return frozenset(self._by_id)

    @property
    def tenants(self) -> frozenset[str]:
        return frozenset(job.document.tenant for job in self._by_id.values())

    @property
    def has_room(self) -> bool:
        """For the first document of a tenant."""
        return len(self.tenants) < MOST

    @property
    def has_more_room(self) -> bool:
        """For another document of a tenant that has one in work."""
        return len(self._by_id) - len(self.tenants) < MOST_MORE

    def add(self, document: Document, steps: Steps) -> None:
        self._by_id[document.id] = Job(document, steps)

    def advance(self) -> None:
        """One step of each job. Waits a moment if all of them wait for a parser or the embedder."""
        waits_for = [self._step(document_id, job) for document_id, job in tuple(self._by_id.items())]
        futures = [future for future in waits_for if future is not None]
        if futures and len(futures) == len(waits_for):
            wait(futures, POLL_S, FIRST_COMPLETED)

    def _step(self, document_id: str, job: Job) -> "Future[Any] | None":
        if not job.is_dropped and not self._is_listed(job.document):
            job.steps.close()
            job.steps, job.is_dropped = _until_done(job.waits_for), True
        try:
            job.waits_for = next(job.steps)
            return job.waits_for
        except BaseException as error:
            del self._by_id[document_id]
            if isinstance(error, StopIteration):
                return None
            raise


def _until_done(future: "Future[Any] | None") -> Steps:
    while future is not None and not future.done():
        yield future
