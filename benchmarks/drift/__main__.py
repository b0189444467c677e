"""`make bench-drift`: false alarms and power of the tests, on made traffic with and without drift.

D1 counts alarms of all signals of 200 tenants in 30 days without drift, for each regime, at the levels that the
detector uses. D2 moves a share of the conversations to new topics: how many tenants are seen, in the first window and
within two. D3 are the eight drills of `quiver drift drill`. D5 is the CPU time of a test of every signal of every
tenant, with nothing cached. ARGS=--quick: 40 tenants, and a fifth of the budget.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.drift.traffic import REGIMES, Regime, Shares, Traffic
from benchmarks.report import Bar, report
from serving.drift import budget, drill
from serving.drift.fleet import Fleet, without_drift
from serving.drift.hours import DAY, Hours
from serving.drift.registry import SIGNALS
from serving.drift.series import Series
from serving.drift.statistics.calibration import calibrated
from serving.drift.statistics.features import WIDTH

FIRST = 20_000 * DAY
REFERENCE, MONTH = 28 * DAY, 30 * DAY
FALSE_ALARMS = 2.0  # a month, for 200 tenants
TENANTS, QUICK_TENANTS = 200, 40
SIZE = 500  # of windows, for most signals
SMALLER = (100, 200)  # what smaller windows would see; they are no signals
SHARES = (0.25, 0.10)
# Which share is to be seen by a signal, and of how many tenants.
POWER = {"query_embedding": (0.25, 0.80), "query_embedding_slow": (0.10, 0.70)}


@dataclass(frozen=True)
class Tenant:
    """`quiet` is a month without drift, `moved` has hours after a share of the conversations moved."""

    reference: Hours
    quiet: Hours
    moved: Mapping[float, Hours]


def tenant(regime: Regime, seed: int, width: int = 0) -> Tenant:
    """With questions, or with answers of `width` classes."""
    traffic = Shares(regime, seed, width) if width else Traffic(regime, seed)
    after = FIRST + REFERENCE
    longest = SIZE * max(signal.windows for signal in SIGNALS.values())
    most = int(2 * longest / 24) + 2 * DAY  # hours for two long windows
    return Tenant(
        traffic.hours(FIRST, REFERENCE),
        traffic.hours(after, MONTH),
        {share: traffic.hours(after + MONTH, most, share) for share in SHARES},
    )


def windows(hours: Hours, size: int) -> Iterator[Hours]:
    """One after the other, of whole hours, with at least `size` samples each."""
    before = np.concatenate([[0.0], np.cumsum(hours.count, dtype=np.float64)])
    start = 0
    while (end := int(np.searchsorted(before, before[start] + size))) < len(before):
        yield hours.slice(start, end)
        start = end


@dataclass
class Result:
    tests: int = 0
    alarms: int = 0
    at_ten_times: int = 0
    """Alarms at ten times the level, of which there are enough to count."""
    null: str = ""
    """The inflation and the tail of scores without drift."""
    seen: Mapping[float, tuple[float, float]] | None = None
    """Tenants whose change was seen, by the share that moved: in the first window, and within two."""


def judged(tenants: Sequence[Tenant], size: int, *, false_alarms: float) -> Result:
    fleet, end = Fleet(size), FIRST + REFERENCE
    series = {str(number): Series(each.reference, end, end) for number, each in enumerate(tenants)}
    units = sum(budget.Rate(each.reference.units, REFERENCE).a_month for each in tenants)
    alpha = budget.level(false_alarms / len(SIGNALS), units, size, provisional=False)

    def p_values(which: Sequence[Hours]) -> list[list[float]]:
        by_tenant: list[list[float]] = []
        for name, hours in zip(series, which, strict=True):
            outcomes = [fleet.judge(name, window, series) for window in windows(hours, size)]
            by_tenant.append([1.0 if outcome is None else outcome.p_value for outcome in outcomes])
        return by_tenant

    quiet = [p for each in p_values([each.quiet for each in tenants]) for p in each]
    result = Result(len(quiet), sum(p <= alpha for p in quiet), sum(p <= 10 * alpha for p in quiet))
    calibrations = [each for made in tenants if (each := calibrated(made.reference, size))]
    inflation, tail = without_drift(calibrations)
    result.null = f"inflation {inflation:.2f}, tail from {tail.start:.2f} with scale {tail.scale:.2f}"
    result.seen = {}
    for share in SHARES:
        moved = p_values([each.moved[share] for each in tenants])
        first = float(np.mean([each[0] <= alpha for each in moved]))
        two = float(np.mean([min(each[:2]) <= alpha for each in moved]))
        result.seen = {**result.seen, share: (round(first, 3), round(two, 3))}
    return result


def seconds_of_all(fleets: Mapping[str, Sequence[Tenant]]) -> float:
    """CPU seconds of one test of each signal of each tenant, with nothing cached."""
    end, begun = FIRST + REFERENCE, time.process_time()
    for signal, tenants in fleets.items():
        size = SIZE * SIGNALS[signal].windows
        series = {str(number): Series(each.reference, end, end) for number, each in enumerate(tenants)}
        fleet = Fleet(size)
        for name, each in zip(series, tenants, strict=True):
            fleet.judge(name, next(windows(each.quiet, size)), series)
    return time.process_time() - begun


def fleets_of(regime: Regime, number: int, count: int, pool: ProcessPoolExecutor) -> dict[str, Sequence[Tenant]]:
    """The tenants of each signal; both signals of questions are of the same ones."""
    fleets: dict[str, Sequence[Tenant]] = {}
    for kind, (name, signal) in enumerate(SIGNALS.items()):
        seeds = range(100_000 * kind + 1_000 * number, 100_000 * kind + 1_000 * number + count)
        same = next((fleets[each] for each in fleets if isinstance(signal, type(SIGNALS[each]))), None)
        width = 0 if signal.width == WIDTH else signal.width
        fleets[name] = same or list(pool.map(tenant, [regime] * count, seeds, [width] * count))
    return fleets


def drills() -> Bar:
    with tempfile.TemporaryDirectory() as folder:
        results, false_alarms = asyncio.run(drill.run(Path(folder), lambda _: None))
    print(drill.table(results, false_alarms))
    passed = sum(result.passed for result in results)
    return Bar(passed if not false_alarms else 0, len(results), "drills caught, others quiet")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    count = QUICK_TENANTS if parser.parse_args().quick else TENANTS
    false_alarms = FALSE_ALARMS * count / TENANTS
    bars: dict[str, Bar] = {"D3": drills()}
    notes: list[str] = []
    with ProcessPoolExecutor() as pool:
        for number, regime in enumerate(REGIMES):
            fleets, alarms = fleets_of(regime, number, count, pool), 0
            for name, tenants in fleets.items():
                result = judged(tenants, SIZE * SIGNALS[name].windows, false_alarms=false_alarms)
                alarms += result.alarms
                notes.append(_note(f"{regime.name}, {name}", result))
                print(notes[-1], file=sys.stderr, flush=True)
                if name in POWER:
                    bars |= _power(regime, *POWER[name], result)
            for size in SMALLER:
                seen = judged(fleets["query_embedding"], size, false_alarms=false_alarms)
                notes.append(_note(f"{regime.name}, questions, windows of {size}", seen))
            bars[f"D1-{regime.name}"] = Bar(alarms, round(false_alarms, 2), "alarms a month", at_most=True)
    bars["D5-tests"] = Bar(round(seconds_of_all(fleets), 2), 20, "s for all tenants", at_most=True)
    print("\n".join(notes))
    return report("drift", bars, notes=notes)


def _note(what: str, result: Result) -> str:
    seen = (f"{share:.0%} moved {first:.2f} and {two:.2f}" for share, (first, two) in (result.seen or {}).items())
    return (
        f"{what}: {result.alarms} alarms in {result.tests} tests ({result.at_ten_times} at ten times the level); "
        f"{result.null}; seen in the first window and within two: {', '.join(seen)}"
    )


def _power(regime: Regime, share: float, bar: float, result: Result) -> dict[str, Bar]:
    _, two = (result.seen or {})[share]
    return {f"D2-{share:.0%}-{regime.name}".replace("%", ""): Bar(two, bar, "of tenants")}


if __name__ == "__main__":
    sys.exit(main())
