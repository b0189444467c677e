"""Holds each tenant's windows and verdict, and acts: takes observations in, runs the tests that are due.

Everything but the test and the files runs on the event loop. One lock covers each step that awaits
while it changes who is watched or what is on disk, so a tenant that is removed stays removed.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from contract.drift import Receipt
from serving.drift import budget, verdict, windows
from serving.drift.errors import StateError
from serving.drift.registration import Registration, registration
from serving.drift.settings import Settings
from serving.drift.statistics.mmd import mmd_test
from serving.drift.store import Record, Store
from serving.drift.verdict import Verdict
from serving.drift.windows import Embeddings
from serving.drift.wire import ReceivedObservation

SIGNAL = "query_embedding"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """One signal of one tenant, with the samples that its windows hold now."""

    tenant: str
    signal: str
    verdict: Verdict
    samples: int
    reference_samples: int


class Detector:
    """The tenants that the store knows are watched from the start. `clock` gives Unix seconds."""

    def __init__(
        self, settings: Settings, store: Store, *, clock: Callable[[], float], rng: np.random.Generator
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._rng = rng
        self._lock = asyncio.Lock()
        self._unsaved: set[str] = set()
        self._records = {tenant: self._loaded(tenant) for tenant in store.tenants()}
        self.received = Receipt(accepted=0, refused=0)
        self.refused_tenants: tuple[str, ...] = ()

    def reports(self) -> list[Report]:
        return [report(tenant, record) for tenant, record in self._records.items()]

    def observe(self, observations: Iterable[ReceivedObservation]) -> Receipt:
        accepted = refused = 0
        arrived: dict[str, list[Embeddings]] = defaultdict(list)
        for observation in observations:
            if observation.tenant not in self._records:
                refused += 1
                continue
            accepted += 1
            if observation.embedding is not None:
                arrived[observation.tenant].append(observation.embedding)
        for tenant, embeddings in arrived.items():
            self._extend(tenant, np.stack(embeddings))
        self.received = Receipt(accepted=self.received.accepted + accepted, refused=self.received.refused + refused)
        return Receipt(accepted=accepted, refused=refused)

    async def register(self, wanted: Sequence[str]) -> Registration:
        """Watch exactly these, up to the cap; all of any other tenant is removed. Raises StateError."""
        async with self._lock:
            decision = registration(self._records, wanted, max_tenants=self._settings.max_tenants)
            self._records = {tenant: self._records.get(tenant) or self._new() for tenant in decision.registered}
            self._unsaved.intersection_update(self._records)
            self.refused_tenants = decision.refused
            await asyncio.to_thread(self._make_files_agree, dict(self._records))
        return decision

    async def evaluate(self) -> None:
        """Run every test that is due, one at a time, and save what the tests and the references became."""
        for tenant in tuple(self._records):
            async with self._lock:
                await self._evaluate(tenant)

    async def _evaluate(self, tenant: str) -> None:
        """A failure is logged, and stays that of its tenant."""
        try:
            if (record := self._records.get(tenant)) and self._is_due(record):
                await self._test(tenant, record)
            await self._save(self._unsaved & {tenant})
        except Exception:
            logger.exception("the evaluation of tenant %s has failed, its verdict stands; the others go on", tenant)

    async def close(self) -> None:
        """Save every tenant, windows that are not full included."""
        async with self._lock:
            await self._save(set(self._records))

    async def _test(self, tenant: str, record: Record) -> None:
        level = budget.level(
            self._settings.budget, tenants=len(self._records), permutations=self._settings.permutations
        )
        self._records[tenant] = replace(record, windows=windows.without_current(record.windows))
        outcome = await asyncio.to_thread(
            mmd_test,
            record.windows.reference,
            record.windows.current,
            permutations=level.permutations,
            rng=self._rng,
        )
        judged = verdict.judged(record.verdict, outcome, alpha=level.alpha, now=self._clock())
        self._records[tenant] = replace(self._records[tenant], verdict=judged)
        self._unsaved.add(tenant)
        logger.info("tested %s of tenant %s: %s, p=%.2g", SIGNAL, tenant, judged.state, outcome.p_value)

    def _extend(self, tenant: str, embeddings: Embeddings) -> None:
        record, size = self._records[tenant], self._settings.reference_size
        extended = windows.extended(record.windows, embeddings, reference_size=size)
        self._records[tenant] = replace(record, windows=extended)
        if len(record.windows.reference) < size <= len(extended.reference):
            self._unsaved.add(tenant)

    def _is_due(self, record: Record) -> bool:
        test = record.verdict.test
        earliest = budget.next_test_at(self._settings.budget, tested_at=test.at if test else None)
        return self._clock() >= earliest and windows.is_evidence(
            record.windows,
            reference_size=self._settings.reference_size,
            window_size=self._settings.window_size,
        )

    def _new(self) -> Record:
        return Record(windows=windows.empty(), verdict=verdict.unknown(self._clock()))

    def _loaded(self, tenant: str) -> Record:
        try:
            return self._store.load(tenant)
        except StateError as damage:  # one bad file never stops the other tenants
            logger.error("%s; until then the tenant starts afresh", damage)
            self._unsaved.add(tenant)
            return self._new()

    def _make_files_agree(self, records: dict[str, Record]) -> None:
        present = set(self._store.tenants())
        for tenant in present - records.keys():
            self._store.delete(tenant)
        for tenant in records.keys() - present:
            self._store.save(tenant, records[tenant])

    async def _save(self, tenants: set[str]) -> None:
        for tenant in tuple(tenants):
            try:
                await asyncio.to_thread(self._store.save, tenant, self._records[tenant])
                self._unsaved.discard(tenant)
            except StateError as failure:  # kept in memory, and tried again at the next evaluation
                logger.error("%s", failure)


def report(tenant: str, record: Record) -> Report:
    return Report(
        tenant=tenant,
        signal=SIGNAL,
        verdict=record.verdict,
        samples=len(record.windows.current),
        reference_samples=len(record.windows.reference),
    )
