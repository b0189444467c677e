"""Holds the series and the verdict of each signal of each tenant; receives observations, and runs due tests.

Everything except tests and files runs on the event loop. Every step that awaits and changes tenants or files holds one
lock, so a removed tenant stays removed.
"""

import asyncio
import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from contract.drift import Receipt
from serving.drift import budget, verdict
from serving.drift.cause import Cause, first_cause
from serving.drift.errors import StateError
from serving.drift.fleet import Fleet
from serving.drift.hours import HOUR, Numbers
from serving.drift.registration import Registration, registration
from serving.drift.registry import SIGNALS
from serving.drift.series import Series, after_test, begun, is_due, rebased, with_reference, with_samples
from serving.drift.settings import Settings
from serving.drift.signal import Basis, Signal
from serving.drift.store import Record, Store
from serving.drift.verdict import State, Verdict
from serving.drift.wire import ReceivedObservation

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """One signal of one tenant, with the samples of its window and of its reference."""

    tenant: str
    signal: str
    cause: Cause
    verdict: Verdict
    samples: int
    reference_samples: int
    is_provisional: bool
    reference: str
    change: str


class Detector:
    """Tenants in the store are watched from the start. `clock` gives Unix seconds; an observation counts for the hour
    in which it arrives."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        clock: Callable[[], float],
        signals: Mapping[str, Signal] = SIGNALS,
    ) -> None:
        self._signals = signals
        self._settings = settings
        self._store = store
        self._clock = clock
        self._spans = {name: settings.spans(signal.windows) for name, signal in signals.items()}
        self._fleets = {name: Fleet(spans.window_units) for name, spans in self._spans.items()}
        self._repeats = Repeats()
        self._lock = asyncio.Lock()
        self._unsaved: set[str] = set()
        self._saved_at: dict[str, int] = {}
        self._records = {tenant: self._loaded(tenant) for tenant in store.tenants()}
        self.received = Receipt(accepted=0, refused=0)
        self.refused_tenants: tuple[str, ...] = ()

    @property
    def tenants(self) -> Sequence[str]:
        """The watched ones."""
        return tuple(self._records)

    def reports(self) -> list[Report]:
        return [
            self._report(tenant, signal, record)
            for tenant, records in self._records.items()
            for signal, record in records.items()
        ]

    def observe(self, observations: Iterable[ReceivedObservation]) -> Receipt:
        accepted = refused = 0
        hour = self._hour()
        arrived: dict[tuple[str, str], list[Numbers]] = defaultdict(list)
        for observation in observations:
            if observation.tenant not in self._records:
                refused += 1
                continue
            accepted += 1
            if self._repeats.is_one(observation, hour):
                continue
            for name, sample in self._samples(observation):
                if not self._is_comparable(observation.tenant, name, self._signals[name].basis(observation)):
                    arrived.pop((observation.tenant, name), None)
                arrived[observation.tenant, name].append(sample)
        for (tenant, name), samples in arrived.items():
            record = self._records[tenant][name]
            extended = with_samples(record.series, hour, np.stack(samples))
            self._keep(tenant, name, replace(record, series=extended))
        self.received = Receipt(accepted=self.received.accepted + accepted, refused=self.received.refused + refused)
        return Receipt(accepted=accepted, refused=refused)

    def _samples(self, observation: ReceivedObservation) -> Iterator[tuple[str, Numbers]]:
        """By signal. A signal that inherits `sample` from another one shares its result."""
        made: dict[object, Numbers | None] = {}
        for name, signal in self._signals.items():
            function = type(signal).sample
            if function not in made:
                made[function] = signal.sample(observation)
            if (sample := made[function]) is not None:
                yield name, sample

    def _is_comparable(self, tenant: str, name: str, basis: Basis) -> bool:
        """False if the basis changed: then the signal has an empty series, and so a new reference."""
        record = self._records[tenant][name]
        before = record.bases.get(basis.subject, "")
        if not basis.value or basis.value == before:
            return True
        bases = {**record.bases, basis.subject: basis.value}
        if not before:
            self._keep(tenant, name, replace(record, bases=bases))
            return True
        change = f"{basis.subject} changed from {before} to {basis.value}"
        unknown, series = verdict.unknown(self._clock()), begun(self._signals[name].width)
        self._keep(tenant, name, Record(series, unknown, record.reference, bases, change))
        self._unsaved.add(tenant)
        logger.info("%s of tenant %s gets a new reference: %s", name, tenant, change)
        return False

    def causes(self) -> dict[str, Cause]:
        """The cause of each tenant with a drifting signal."""
        causes = {tenant: self._cause(records) for tenant, records in self._records.items()}
        return {tenant: cause for tenant, cause in causes.items() if cause}

    def _cause(self, records: Mapping[str, Record]) -> Cause | None:
        drifting = (name for name, record in records.items() if record.verdict.state is State.DRIFT)
        return first_cause(self._signals[name].cause for name in drifting)

    async def register(self, tenants: Sequence[str], references: Mapping[str, str] | None = None) -> Registration:
        """Watch exactly these tenants, up to the cap; all data of others is removed. A tenant whose text in
        `references` is another than before begins new references. Raises StateError."""
        async with self._lock:
            decision = registration(self._records, tenants, max_tenants=self._settings.max_tenants)
            texts = references or {}
            self._records = {
                tenant: self._records.get(tenant) or self._new(texts.get(tenant, "")) for tenant in decision.registered
            }
            for tenant in decision.registered:
                self._take_reference(tenant, texts.get(tenant, ""))
            self._unsaved.intersection_update(self._records)
            self._saved_at = {tenant: hour for tenant, hour in self._saved_at.items() if tenant in self._records}
            self.refused_tenants = decision.refused
            await asyncio.to_thread(self._make_files_agree, dict(self._records))
        return decision

    async def rebase(self, tenant: str) -> bool:
        """Begins new references of the tenant with what came after its last tests. False for a tenant that is not
        watched."""
        async with self._lock:
            if tenant not in self._records:
                return False
            self._rebase(tenant)
            await self._save({tenant})
        return True

    def _take_reference(self, tenant: str, text: str) -> None:
        if any(record.reference != text for record in self._records[tenant].values()):
            self._rebase(tenant, text)

    def _rebase(self, tenant: str, text: str | None = None) -> None:
        """With another text, if one is given."""
        for name, record in self._records[tenant].items():
            reference = record.reference if text is None else text
            unknown = verdict.unknown(self._clock())
            self._keep(tenant, name, Record(rebased(record.series), unknown, reference, record.bases))
        self._unsaved.add(tenant)
        logger.info("tenant %s gets new references%s", tenant, f": {text!r}" if text else "")

    async def evaluate(self) -> None:
        """Run every due test, one at a time, and save verdicts and series."""
        for tenant in tuple(self._records):
            async with self._lock:
                await self._evaluate(tenant)

    async def _evaluate(self, tenant: str) -> None:
        """A failure is logged, and affects its tenant only."""
        if tenant not in self._records:
            return  # it has left since
        try:
            now = self._hour()
            if self._saved_at.get(tenant) != now:  # once an hour: a crash loses no more
                self._unsaved.add(tenant)
            for name, record in tuple(self._records.get(tenant, {}).items()):
                series = with_reference(record.series, now, self._spans[name])
                if series is not record.series:
                    self._keep(tenant, name, replace(record, series=series))
                    self._unsaved.add(tenant)
                if is_due(series, now, self._spans[name]):
                    await self._test(tenant, name, now)
            await self._save(self._unsaved & {tenant})
        except Exception:
            logger.exception("the evaluation of tenant %s has failed; its verdict stays, other tenants go on", tenant)

    async def close(self) -> None:
        """Save every tenant, including partly filled windows."""
        async with self._lock:
            await self._save(set(self._records))

    async def _test(self, tenant: str, name: str, now: int) -> None:
        """Samples that arrive meanwhile are in the present hour, and so in no window of this test."""
        series, spans = self._records[tenant][name].series, self._spans[name]
        all_series = {each: records[name].series for each, records in self._records.items() if name in records}
        outcome = await asyncio.to_thread(self._fleets[name].judge, tenant, series.window(now), all_series)
        record = self._records[tenant][name]
        if record.series.reference_id != series.reference_id:
            return  # it has a new reference meanwhile
        judged = record.verdict
        if outcome is not None:
            alpha = self._level(name, series)
            judged = verdict.judged(record.verdict, outcome, alpha=alpha, now=self._clock())
            logger.info("tested %s of tenant %s: %s, p=%.2g", name, tenant, judged.state, outcome.p_value)
        drifted = judged.state is State.DRIFT
        series = after_test(record.series, now, spans, drifted=drifted)
        self._keep(tenant, name, replace(record, series=series, verdict=judged))
        self._unsaved.add(tenant)

    def _level(self, name: str, series: Series) -> float:
        """Signals share the budget equally, and tests of one signal by how often they are made."""
        records = [records[name] for records in self._records.values() if name in records]
        references = [record.series.reference for record in records if record.series.reference_end]
        fleet = sum(budget.Rate(each.units, each.span).a_month for each in references)
        share, spans = self._settings.false_alarms / len(self._signals), self._spans[name]
        return budget.level(share, fleet, spans.window_units, provisional=series.is_provisional(spans))

    def _hour(self) -> int:
        return int(self._clock() // HOUR)

    def _report(self, tenant: str, signal: str, record: Record) -> Report:
        series = record.series
        window = series.window(self._hour() + 1)
        provisional = series.is_provisional(self._spans[signal])
        return Report(
            tenant, signal, self._signals[signal].cause, record.verdict, int(window.units), int(series.gathered),
            provisional, record.reference, record.change,
        )  # fmt: skip

    def _keep(self, tenant: str, name: str, record: Record) -> None:
        self._records[tenant] = {**self._records[tenant], name: record}

    def _new(self, reference: str = "") -> dict[str, Record]:
        unknown = verdict.unknown(self._clock())
        return {name: Record(begun(signal.width), unknown, reference) for name, signal in self._signals.items()}

    def _loaded(self, tenant: str) -> dict[str, Record]:
        """The stored records; a signal missing in the file starts empty."""
        try:
            widths = {name: signal.width for name, signal in self._signals.items()}
            stored = self._store.load(tenant, widths)
            reference = next((record.reference for record in stored.values()), "")
            return {**self._new(reference), **stored}
        except StateError as damage:  # one bad file never stops the other tenants
            logger.error("%s; until then the tenant starts with an empty series", damage)
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
                self._saved_at[tenant] = self._hour()
            except StateError as failure:  # kept in memory, and tried again at the next evaluation
                logger.error("%s", failure)


class Repeats:
    """Repeats of questions within an hour: retries, probes and load tests say nothing about topics."""

    def __init__(self) -> None:
        self._hour = 0
        self._asked: set[tuple[str, bytes]] = set()

    def is_one(self, observation: ReceivedObservation, hour: int) -> bool:
        """Of questions with an embedding."""
        if observation.embedding is None:
            return False
        if hour != self._hour:
            self._hour, self._asked = hour, set()
        question = (observation.tenant, hashlib.blake2b(observation.embedding.tobytes(), digest_size=8).digest())
        is_repeat = question in self._asked
        self._asked.add(question)
        return is_repeat
