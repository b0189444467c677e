"""Holds the windows and the verdict of each signal of each tenant; receives observations, and runs due tests.

Everything except tests and files runs on the event loop. Every step that awaits and changes tenants or files holds one
lock, so a removed tenant stays removed.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from contract.drift import Receipt
from serving.drift import budget, verdict, windows
from serving.drift.errors import StateError
from serving.drift.registration import Registration, registration
from serving.drift.registry import SIGNALS
from serving.drift.settings import Settings
from serving.drift.signal import Samples, Signal
from serving.drift.store import Record, Store
from serving.drift.verdict import Verdict
from serving.drift.wire import ReceivedObservation

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """One signal of one tenant, with the sizes of its windows."""

    tenant: str
    signal: str
    verdict: Verdict
    samples: int
    reference_samples: int


class Detector:
    """Tenants in the store are watched from the start. `clock` gives Unix seconds."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        clock: Callable[[], float],
        rng: np.random.Generator,
        signals: Mapping[str, Signal] = SIGNALS,
    ) -> None:
        self._signals = signals
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
        return [
            report(tenant, signal, record)
            for tenant, records in self._records.items()
            for signal, record in records.items()
        ]

    def observe(self, observations: Iterable[ReceivedObservation]) -> Receipt:
        accepted = refused = 0
        arrived: dict[tuple[str, str], list[Samples]] = defaultdict(list)
        for observation in observations:
            if observation.tenant not in self._records:
                refused += 1
                continue
            accepted += 1
            for name, signal in self._signals.items():
                if (sample := signal.sample(observation)) is not None:
                    arrived[observation.tenant, name].append(sample)
        for (tenant, name), samples in arrived.items():
            self._extend(tenant, name, np.stack(samples))
        self.received = Receipt(accepted=self.received.accepted + accepted, refused=self.received.refused + refused)
        return Receipt(accepted=accepted, refused=refused)

    async def register(self, tenants: Sequence[str]) -> Registration:
        """Watch exactly these tenants, up to the cap; all data of others is removed. Raises StateError."""
        async with self._lock:
            decision = registration(self._records, tenants, max_tenants=self._settings.max_tenants)
            self._records = {tenant: self._records.get(tenant) or self._new() for tenant in decision.registered}
            self._unsaved.intersection_update(self._records)
            self.refused_tenants = decision.refused
            await asyncio.to_thread(self._make_files_agree, dict(self._records))
        return decision

    async def evaluate(self) -> None:
        """Run every due test, one at a time, and save verdicts and references."""
        for tenant in tuple(self._records):
            async with self._lock:
                await self._evaluate(tenant)

    async def _evaluate(self, tenant: str) -> None:
        """A failure is logged, and affects its tenant only."""
        try:
            for name, record in tuple(self._records.get(tenant, {}).items()):
                if self._is_due(record):
                    await self._test(tenant, name, record)
            await self._save(self._unsaved & {tenant})
        except Exception:
            logger.exception("the evaluation of tenant %s has failed; its verdict stays, other tenants go on", tenant)

    async def close(self) -> None:
        """Save every tenant, including partly filled windows."""
        async with self._lock:
            await self._save(set(self._records))

    async def _test(self, tenant: str, name: str, record: Record) -> None:
        series = len(self._records) * len(self._signals)
        level = budget.level(self._settings.budget, series=series, permutations=self._settings.permutations)
        self._keep(tenant, name, replace(record, windows=windows.without_current(record.windows)))
        outcome = await asyncio.to_thread(
            self._signals[name].test,
            record.windows.reference,
            record.windows.current,
            permutations=level.permutations,
            rng=self._rng,
        )
        judged = verdict.judged(record.verdict, outcome, alpha=level.alpha, now=self._clock())
        self._keep(tenant, name, replace(self._records[tenant][name], verdict=judged))
        self._unsaved.add(tenant)
        logger.info("tested %s of tenant %s: %s, p=%.2g", name, tenant, judged.state, outcome.p_value)

    def _extend(self, tenant: str, name: str, samples: Samples) -> None:
        record, size = self._records[tenant][name], self._settings.reference_size
        extended = windows.extended(record.windows, samples, reference_size=size)
        self._keep(tenant, name, replace(record, windows=extended))
        if len(record.windows.reference) < size <= len(extended.reference):
            self._unsaved.add(tenant)

    def _keep(self, tenant: str, name: str, record: Record) -> None:
        self._records[tenant] = {**self._records[tenant], name: record}

    def _is_due(self, record: Record) -> bool:
        test = record.verdict.test
        earliest = budget.next_test_at(self._settings.budget, tested_at=test.at if test else None)
        return self._clock() >= earliest and windows.is_evidence(
            record.windows,
            reference_size=self._settings.reference_size,
            window_size=self._settings.window_size,
        )

    def _new(self) -> dict[str, Record]:
        unknown = verdict.unknown(self._clock())
        return {name: Record(windows.empty(signal.width), unknown) for name, signal in self._signals.items()}

    def _loaded(self, tenant: str) -> dict[str, Record]:
        """The stored records; a signal missing in the file starts empty."""
        try:
            widths = {name: signal.width for name, signal in self._signals.items()}
            return {**self._new(), **self._store.load(tenant, widths)}
        except StateError as damage:  # one bad file never stops the other tenants
            logger.error("%s; until then the tenant starts with empty windows", damage)
            self._unsaved.add(tenant)
            return self._new()

    def _make_files_agree(self, records: dict[str, dict[str, Record]]) -> None:
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


def report(tenant: str, signal: str, record: Record) -> Report:
    return Report(
        tenant=tenant,
        signal=signal,
        verdict=record.verdict,
        samples=len(record.windows.current),
        reference_samples=len(record.windows.reference),
    )
