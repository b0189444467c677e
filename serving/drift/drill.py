"""`quiver drift drill`: eight known changes, each in the traffic of a made tenant, and what the detector says of them.

Every tenant has four weeks of the same kind of traffic; then one thing changes. A drill is passed if the cause is the
right one within the days below, and no other tenant is said to have drifted.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from serving.drift.cause import Cause
from serving.drift.detector import Detector, Report
from serving.drift.hours import DAY, HOUR
from serving.drift.made_traffic import Change, MadeTraffic
from serving.drift.settings import Settings
from serving.drift.store import Store
from serving.drift.verdict import State

RATE = 24.0  # first answers an hour
REFERENCE, AFTER = 28 * DAY, 4 * DAY
EVALUATED = 8  # hours between evaluations of the reference: each writes every tenant's file
QUIET = 4  # tenants without a change
_FIRST = 480_000  # hours since 1970


@dataclass(frozen=True)
class Drill:
    """`expected` is the cause, or the subject whose change begins new references."""

    name: str
    what: str
    change: Change
    expected: Cause | str


DRILLS = (
    Drill("topic", "a quarter of the questions is about new topics", Change(new_topics=0.25), Cause.QUESTIONS),
    Drill("language", "a quarter of the questions is in another language", Change(other_language=0.25),
          Cause.QUESTIONS),
    Drill("adapter", "another version answers under the same name", Change(version="support-2", uncited=0.3),
          "support"),
    Drill("documents", "the documents of a fifth of the questions are gone", Change(without_document=0.2),
          Cause.DOCUMENTS),
    Drill("embedder", "another model embeds questions", Change(embedder="embedder-2"), "embedder"),
    Drill("refusals", "a tenth of the answers is a refusal", Change(refused=0.1), Cause.ANSWERS),
    Drill("worse", "a tenth of the answers loses its citation", Change(uncited=0.1), Cause.ANSWERS),
    Drill("slower", "the engine takes a third longer", Change(slower=1.33), Cause.ENGINE),
)  # fmt: skip


@dataclass(frozen=True)
class DrillResult:
    """`caught_by` are drifting signals, or those with new references. `hours` is the time from the change to the first
    of them; None if nothing was seen. `evidence` is a test, or the change on record."""

    drill: Drill
    caught_by: tuple[str, ...] = ()
    cause: str = ""
    hours: int | None = None
    evidence: str = ""

    @property
    def passed(self) -> bool:
        return self.cause == self.drill.expected


class Clock:
    def __init__(self) -> None:
        self.hour = _FIRST

    def __call__(self) -> float:
        return self.hour * HOUR


async def run(state: Path, progress: Callable[[str], None]) -> tuple[list[DrillResult], list[str]]:
    """The result of each drill, and unchanged tenants with a drift."""
    tenants = [drill.name for drill in DRILLS] + [f"quiet-{number}" for number in range(QUIET)]
    clock, settings = Clock(), Settings(token=SecretStr("drill" * 4), state=state)
    detector = await asyncio.to_thread(lambda: Detector(settings, Store(state), clock=clock))
    await detector.register(tenants)
    traffic = {tenant: MadeTraffic(tenant, seed) for seed, tenant in enumerate(tenants)}
    for _ in range(REFERENCE // EVALUATED):
        await _hours(detector, clock, traffic, {}, EVALUATED, progress)
    changes = {drill.name: drill.change for drill in DRILLS}
    results = {drill.name: DrillResult(drill) for drill in DRILLS}
    false_alarms: set[str] = set()
    for hour in range(AFTER):
        await _hours(detector, clock, traffic, changes, 1, progress)
        for name, result in results.items():
            if result.hours is None:
                results[name] = _seen(detector, result.drill, hour + 1)
        false_alarms |= {tenant for tenant in detector.causes() if tenant not in results}
    return list(results.values()), sorted(false_alarms)


async def _hours(
    detector: Detector, clock: Clock, traffic: Mapping[str, MadeTraffic], changes: Mapping[str, Change], count: int,
    progress: Callable[[str], None],
) -> None:  # fmt: skip
    for _ in range(count):
        for tenant, made in traffic.items():
            detector.observe(made.hour(clock.hour, RATE, changes.get(tenant, Change())))
        clock.hour += 1
        if (clock.hour - _FIRST) % (4 * DAY) == 0:
            progress(f"day {(clock.hour - _FIRST) // DAY} of {(REFERENCE + AFTER) // DAY}")
    await detector.evaluate()


def _seen(detector: Detector, drill: Drill, hours: int) -> DrillResult:
    """The drift or change on record, `hours` after the change."""
    begun = (_FIRST + REFERENCE) * HOUR
    reports = [report for report in detector.reports() if report.tenant == drill.name]
    drifting = [report for report in reports if report.verdict.state is State.DRIFT and report.verdict.since > begun]
    caught = drifting or [report for report in reports if report.change]
    if not caught:
        return DrillResult(drill)
    cause = detector.causes().get(drill.name) if drifting else caught[0].change.partition(" ")[0]
    first = next((report for report in caught if report.cause is cause), caught[0])
    return DrillResult(drill, tuple(report.signal for report in caught), cause or "", hours, _evidence(first))


def _evidence(report: Report) -> str:
    test = report.verdict.test
    if report.change or test is None:
        return report.change
    return f"p={test.p_value:.1e}, level {test.alpha:.1e}, against {report.reference_samples:,} samples"


def table(results: list[DrillResult], false_alarms: list[str]) -> str:
    lines = []
    for result in results:
        verdict = "caught" if result.passed else "MISSED"
        lines.append(f"{verdict}  {result.drill.name:<10} {result.drill.what}")
        if result.hours is None:
            lines.append("        nothing was seen")
            continue
        lines.append(f"        after {result.hours} h by {', '.join(result.caught_by)}: {result.cause}")
        lines.append(f"        {result.evidence}")
    others = f"{', '.join(false_alarms)} drifted without a change" if false_alarms else "no other tenant drifted"
    return "\n".join([*lines, others])


def _show_progress(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main() -> int:
    argparse.ArgumentParser(prog="quiver drift drill", description=__doc__,
                            formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        results, false_alarms = asyncio.run(run(Path(folder), _show_progress))
    sys.stdout.write(f"{table(results, false_alarms)}\n")
    return 0 if all(result.passed for result in results) and not false_alarms else 1


if __name__ == "__main__":
    sys.exit(main())
