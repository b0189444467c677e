"""How long the bad version goes on answering once somebody has typed `quiver rollback`.

From the start of the command, its interpreter included, to the start of the last request that the version taken back
answered; under load.
"""

import asyncio
import subprocess
import time
from dataclasses import dataclass

from benchmarks.adapters.stage import ALIAS, Stage, style_of
from benchmarks.load import load
from examples.demo.platform import QUIVER
from operators.local.decisions import FOLDER
from operators.local.directory import STATE

CALLERS = 2


@dataclass(frozen=True)
class RolledBack:
    """Seconds from the start of the command to its decision on the disk, and to the last answer of the bad version."""

    decided: float
    whole: float


async def run(stage: Stage, *, trials: int) -> list[RolledBack]:
    """One a trial."""
    rolled_back = []
    for _ in range(trials):
        await stage.flip()  # the good version; the next one has another style
        bad = await stage.flip()
        async with load(stage.platform, model=ALIAS, callers=CALLERS) as found:
            await found.reach(CALLERS * 2, "")
            begun, clock = time.monotonic(), time.time()
            decided = await asyncio.to_thread(_roll_back, stage) - clock
            await found.reach(len(found.answers) + CALLERS * 3, "")
        if found.failures:
            raise RuntimeError(f"requests failed during a rollback: {found.failures[0]}")
        late = [answer.began for answer in found.answers if style_of(answer.text) == bad.style]
        rolled_back.append(RolledBack(decided, max(late) - begun))
    return rolled_back


def _roll_back(stage: Stage) -> float:
    """When the decision was written, by the system's clock."""
    subprocess.run([QUIVER, "rollback", str(stage.root), f"acme/{ALIAS}"], check=True, capture_output=True)
    return (stage.root / STATE / FOLDER / f"acme.{ALIAS}.json").stat().st_mtime
