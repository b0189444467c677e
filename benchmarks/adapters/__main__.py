"""`make bench-adapters`: what a swap costs and loses. Each protocol is a module beside this one.

ARGS=--quick: fewer repetitions, within five minutes. ARGS="--only A1 kill": these alone.
"""

import argparse
import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.adapters import cold, cycles, fingerprints, kills, on_demand, rollback, supply, swaps, throughput
from benchmarks.adapters.stage import CPU_SLOTS, Stage, objects
from benchmarks.bare_engine import BareEngine, bare_engine
from benchmarks.report import Bar, report
from examples.demo.platform import running
from examples.demo.workspace import AlreadyRunning, alone
from serving.agent.fingerprint import TOLERANCE

ROOT = Path("build/bench-adapters").resolve()


@dataclass(frozen=True)
class Sizes:
    flips: int
    cold_trials: int
    counts: tuple[int, ...]
    seconds: float
    rounds: int
    cycles: int
    comparisons: int
    agent_kills: int
    engine_kills: int
    rollbacks: int
    on_demand: int
    on_demand_requests: int
    releases: int


WHOLE = Sizes(200, 30, (1, 4, 8, 16, 32), 10, 4, 1000, 600, 90, 10, 20, 1000, 1200, 6)
QUICK = Sizes(20, 6, (1, 8), 4, 2, 60, 60, 5, 0, 4, 40, 160, 3)

Bars = dict[str, Bar]


def p99(seconds: Sequence[float]) -> float:
    return sorted(seconds)[int(0.99 * len(seconds))]


@dataclass
class Run:
    """`notes` are what is published beside the bars."""

    stage: Stage
    folder: Path
    sizes: Sizes
    notes: list[str] = field(default_factory=list)

    def engine(self, name: str) -> AbstractContextManager[BareEngine]:
        """With as much room as the platform's: an engine that is full pays for every load."""
        return bare_engine(self.folder / f"{name}.log", cpu_slots=CPU_SLOTS)

    async def swaps(self) -> Bars:
        with self.engine("bare") as bare:
            ours, peers = await swaps.run(self.stage, bare, flips=self.sizes.flips)
        for who, found in (("ours", ours), ("unload and load under one name, bare engine", peers)):
            self.notes.append(
                f"A1 {who}: {found.flips} flips, {found.requests} requests in {found.seconds:.0f} s; "
                f"{found.failed} failed or cut, {found.stale} of a wrong version, {found.strange} in no style"
            )
        wrong = ours.stale + ours.strange
        return {
            "A1": Bar(ours.failed + wrong, 0, "requests", at_most=True),
            "R3": Bar(wrong, 0, "answers", at_most=True),
        }

    async def cold(self) -> Bars:
        trials = self.sizes.cold_trials
        alone = await cold.run(self.stage, trials=trials, first=0, callers=0)
        beside = await cold.run(self.stage, trials=trials, first=trials, callers=cold.CALLERS)
        for what, cold_start in (("nobody asking", alone), (f"beside {cold.CALLERS} callers", beside)):
            self.notes.append(
                f"A2 save to first token, {what}: {cold_start.whole * 1000:.0f} ms, of that fetching and verifying "
                f"{cold_start.fetch_and_verify * 1000:.0f} ms"
            )
        return {
            "A2": Bar(round(alone.rest * 1000), 200, "ms", at_most=True),
            "A2-beside": Bar(round(beside.rest * 1000), 400, "ms", at_most=True),
        }

    async def throughput(self) -> Bars:
        sizes = self.sizes
        points = await throughput.run(self.stage, counts=sizes.counts, seconds=sizes.seconds, rounds=sizes.rounds)
        for point in points:
            self.notes.append(
                f"A3 {point.adapters} adapters: {point.gateway:.0f} tokens/s, straight to the engine "
                f"{point.engine:.0f}, ratio {point.ratio:.3f}"
            )
        # One round on two cores is as good as chance: the bar is for all rounds together.
        return {"A3": Bar(median(ratio for point in points for ratio in point.ratios), 0.97, "times")}

    async def cycles(self) -> Bars:
        with self.engine("with-agent") as engine, self.engine("bare") as bare:
            found = await cycles.run(engine, bare, self.folder, cycles=self.sizes.cycles)
        for who, growth in (("agent", found.agent), ("its engine", found.engine), ("bare engine", found.bare)):
            self.notes.append(f"A6 {who}: {growth.slope[0]:.2f} ± {growth.slope[1]:.2f} KiB a cycle")
        slopes, errors = zip(found.agent.slope, found.engine.slope, found.bare.slope, strict=True)
        noise = 2 * sum(error**2 for error in errors) ** 0.5
        return {"A6": Bar(slopes[0] + slopes[1] - slopes[2] - noise, 0, "KiB", at_most=True)}

    async def kills(self) -> Bars:
        found = await kills.run(self.stage, agents=self.sizes.agent_kills, engines=self.sizes.engine_kills)
        for part, seconds in found.recovered_s.items():
            if seconds:
                self.notes.append(f"kill {part}: {len(seconds)} kills, the swap was through {max(seconds):.1f} s later")
        self.notes.append(f"kill: {found.unverified_loads} unverified loads, {found.damaged_versions} damaged versions")
        return {"kill": Bar(found.stuck + found.unverified_loads + found.damaged_versions, 0, "faults", at_most=True)}

    async def fingerprints(self) -> Bars:
        with self.engine("bare") as bare:
            found = await fingerprints.run(bare, self.folder, comparisons=self.sizes.comparisons)
        self.notes.append(
            f"fingerprint: one step away {found.step:.3f} nats, identical weights at most {found.noise:.4f}; "
            f"{found.false_alarms} false alarms in {found.comparisons} comparisons"
        )
        return {
            "fingerprint": Bar(found.p_value, 0.001, "p", at_most=True),
            "step": Bar(found.step, TOLERANCE, "nats"),
            "false-alarms": Bar(found.false_alarms / found.comparisons, 0.0, "share", at_most=True),
        }

    async def supply(self) -> Bars:
        found = await supply.run(self.stage)
        self.notes.append(f"S8 {found.files} artifacts; the engine restarted: {found.engine_restarted}")
        self.notes += [f"S8 {what}: {said}" for what, said in found.otherwise.items()]
        faults = len(found.otherwise) + found.engine_restarted + found.engine_heard
        return {"S8": Bar(faults, 0, "faults", at_most=True)}

    async def on_demand(self) -> Bars:
        sizes = self.sizes
        with self.engine("bare") as bare:
            found = await on_demand.run(
                self.folder / "on-demand", bare, adapters=sizes.on_demand, requests=sizes.on_demand_requests, flips=10
            )
        cold, bare_p99 = p99(found.cold), p99(found.bare)
        self.notes.append(
            f"A7 {found.adapters} adapters, {on_demand.PLACES} places: {found.hit_rate:.3f} in memory, "
            f"{found.simulated:.3f} by simulation; first token p99 {cold * 1000:.0f} ms, in memory "
            f"{p99(found.warm) * 1000:.0f} ms, bare load and request {bare_p99 * 1000:.0f} ms; beside flips "
            f"{found.flips.requests} requests, {found.flips.failed} failed, {found.flips.stale} of a wrong version"
        )
        failed = found.failed + found.wrong + found.flips.failed + found.flips.stale + found.flips.strange
        return {
            "A7": Bar(failed, 0, "requests", at_most=True),
            "A7-cold": Bar(round(cold / bare_p99, 2), 3.0, "times", at_most=True),
            "A7-hits": Bar(round(found.hit_rate - found.simulated, 3), -0.01, "of requests"),
        }

    async def releases(self) -> Bars:
        sizes = self.sizes
        seconds = await on_demand.releases(self.folder / "full", adapters=sizes.on_demand, trials=sizes.releases)
        shown = ", ".join(f"{each:.2f}" for each in seconds)
        self.notes.append(f"A8 {sizes.on_demand} adapters of one tenant: another one's releases took {shown} s")
        return {"A8": Bar(round(max(seconds), 2), 2.0, "s", at_most=True)}

    async def rollback(self) -> Bars:
        trials = await rollback.run(self.stage, trials=self.sizes.rollbacks)
        slowest = max(trials, key=lambda each: each.whole)
        self.notes.append(
            f"rollback: {len(trials)} times, median {median(each.whole for each in trials):.2f} s, decided after "
            f"{median(each.decided for each in trials):.2f} s; the slowest {slowest.decided:.2f} s"
        )
        return {"rollback": Bar(slowest.whole, 1.0, "s", at_most=True)}


PROTOCOLS: Mapping[tuple[str, ...], Callable[[Run], Awaitable[Bars]]] = {
    # First: an engine that has had more versions than it has cpuSlots takes a second for a load.
    ("A2", "A2-beside"): Run.cold,
    ("A1", "R3"): Run.swaps,
    ("A3",): Run.throughput,
    ("A6",): Run.cycles,
    ("fingerprint", "step", "false-alarms"): Run.fingerprints,
    ("S8",): Run.supply,
    ("rollback",): Run.rollback,
    ("A7", "A7-cold", "A7-hits"): Run.on_demand,
    ("A8",): Run.releases,
    ("kill",): Run.kills,
}


async def _measure(run: Run, only: frozenset[str]) -> Bars:
    bars: Bars = {}
    for names, protocol in PROTOCOLS.items():
        if not only or only & set(names):
            print(f"{' and '.join(names)} …", flush=True)
            bars |= await protocol(run)
    return bars


def _fresh_objects() -> Path:
    shutil.rmtree(ROOT, ignore_errors=True)
    ROOT.mkdir(parents=True)
    return objects(ROOT / "objects")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="ID", choices=[n for names in PROTOCOLS for n in names]
    )
    options = parser.parse_args()
    try:
        with alone(ROOT), running(_fresh_objects(), tenants=("acme",), out=sys.stderr) as platform:
            platform.wait_until(lambda: platform.objects("baseModels"), what="objects")
            platform.wait_until_ready()
            run = Run(Stage(platform), ROOT, QUICK if options.quick else WHOLE)
            bars = asyncio.run(_measure(run, frozenset(options.only)))
    except AlreadyRunning as error:
        sys.exit(str(error))
    for note in run.notes:
        print(note)
    return report("adapters", bars, notes=run.notes)


if __name__ == "__main__":
    sys.exit(main())
