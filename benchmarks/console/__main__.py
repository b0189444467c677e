"""`make bench-console`: the console in Chromium, beside a running engine. Each protocol is a module beside this one.

ARGS=--quick: fewer manners and documents, within five minutes. ARGS="--only C1 C3": these alone.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.console import attacks, pages, prices, replicas, speed, tasks
from benchmarks.console.chromium import browser, missing
from benchmarks.console.person import Manner, Person, person
from benchmarks.console.stage import Stage, staged
from benchmarks.report import Bar, report

MANNERS = [Manner(language, width, by_keyboard) for language in ("en", "ko") for width in (1280, 360)
           for by_keyboard in (False, True)]  # fmt: skip
QUICK = [Manner("en", 1280), Manner("ko", 360, by_keyboard=True)]
Bars = dict[str, Bar]


@dataclass
class Run:
    """`notes` are what is published beside the bars."""

    stage: Stage
    browser: Browser
    quick: bool
    notes: list[str] = field(default_factory=list)

    def c1(self) -> Bars:
        """The most clicks of a task, over all manners; a task that fails counts as 99."""
        store = self.stage.store("acme", "tasks")
        worst = 0
        with tempfile.TemporaryDirectory() as folder:
            tasks.prepare(self.stage, Path(folder), store)
            for manner in QUICK if self.quick else MANNERS:
                worst = max(worst, *self._clicks(manner, Path(folder), store))
        return {"C1": Bar(worst, tasks.MOST_CLICKS, "clicks", at_most=True)}

    def _clicks(self, manner: Manner, folder: Path, store: str) -> list[int]:
        with person(self.browser, self.stage.url, manner, self.stage.key) as someone:
            work = tasks.Tasks(self.stage, someone, folder, store).all
            counts = [self._count(manner, name, task, someone) for name, task in work.items()]
        with person(self.browser, self.stage.url, manner, self.stage.platform_key) as someone:
            return [*counts, self._count(manner, "platform", lambda: tasks.see_platform(someone), someone)]

    def _count(self, manner: Manner, name: str, task: Callable[[], None], someone: Person) -> int:
        try:
            task()
        except Exception as error:
            line = str(error).splitlines()[0] if str(error) else type(error).__name__
            self.notes.append(f"C1 {manner}: {name} failed: {line}")
            print(self.notes[-1], flush=True)
            return 99
        print(f"  {manner}: {name}: {someone.clicks} clicks", flush=True)
        return someone.clicks

    def c2(self) -> Bars:
        return prices.bars(self.stage, self.browser, rounds=2 if self.quick else 5)

    def c3(self) -> Bars:
        return pages.bars(self.stage, self.browser, self.notes)

    def c4(self) -> Bars:
        return attacks.bars(self.stage, self.browser, self.notes)

    def c5(self) -> Bars:
        return replicas.bars(self.stage, self.browser, self.notes)

    def c6(self) -> Bars:
        return speed.bars(self.stage, self.browser, documents=2_000 if self.quick else 10_000)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-console", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer manners, within five minutes")
    parser.add_argument("--only", nargs="+", metavar="ID", help="these alone, as C1")
    options = parser.parse_args()
    if reason := missing():
        sys.exit(f"bench-console: {reason}")
    with staged() as stage, browser() as opened:
        run = Run(stage, opened, options.quick)
        protocols: Mapping[str, Callable[[], Bars]] = {
            "C1": run.c1, "C2": run.c2, "C3": run.c3, "C5": run.c5, "C6": run.c6,
            "C4": run.c4,  # last: it ends with guessed keys, after which this address has to wait
        }  # fmt: skip
        bars: Bars = {}
        for name, protocol in protocols.items():
            if not options.only or name in options.only:
                print(f"{name} …", flush=True)
                bars |= protocol()
    return report("console", bars, notes=run.notes)


if __name__ == "__main__":
    sys.exit(main())
