"""How long the bad version goes on answering once somebody has typed `quiver rollback`.

From the start of the command, its interpreter included, to the start of the last request that the version taken back
answered; under load.
"""

import asyncio
import subprocess
import time

from benchmarks.adapters.stage import ALIAS, Stage, style_of
from benchmarks.load import load
from examples.demo.platform import QUIVER

CALLERS = 2


async def run(stage: Stage, *, trials: int) -> list[float]:
    """Seconds, one a trial."""
    seconds = []
    await stage.flip()
    for _ in range(trials):
        bad = await stage.flip()
        async with load(stage.platform, model=ALIAS, callers=CALLERS) as found:
            await found.reach(CALLERS * 2, "")
            begun = time.monotonic()
            await asyncio.to_thread(_roll_back, stage)
            await found.reach(len(found.answers) + CALLERS * 3, "")
        if found.failures:
            raise RuntimeError(f"requests failed during a rollback: {found.failures[0]}")
        late = [answer.began for answer in found.answers if style_of(answer.text) == bad.style]
        seconds.append(max(late) - begun)
    return seconds


def _roll_back(stage: Stage) -> None:
    subprocess.run([QUIVER, "rollback", str(stage.root), f"acme/{ALIAS}"], check=True, capture_output=True)
