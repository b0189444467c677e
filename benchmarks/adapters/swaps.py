"""A1 and R3: versions change under load. Ours through the platform; the peers' way on a bare engine in the same run.

The peers' way is one name: unload, then load the new files under it. A caller's answer is right when it is in the style
of a version between the last flip acknowledged before the request began and the last one saved before it ended.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.adapters.stage import ALIAS, STYLES, Flip, Stage, copy_version, style_of
from benchmarks.bare_engine import KEY, BareEngine, load, unload
from benchmarks.load import Answer, Load, load_on

CALLERS = 6
BLOCK = 20  # flips of one contestant before the other has its turn


@dataclass
class Counts:
    """`stale` are answers of a version too old, `strange` are in no style or in several."""

    flips: int = 0
    requests: int = 0
    failed: int = 0
    stale: int = 0
    strange: int = 0
    seconds: float = 0.0

    def add(self, found: Load, flips: Sequence[Flip], seconds: float, first: str) -> None:
        self.flips += len(flips)
        self.requests += len(found.answers) + len(found.failures)
        self.failed += len(found.failures)
        self.stale += sum(_is_stale(answer, flips, first) for answer in found.answers)
        self.strange += sum(style_of(answer.text) is None for answer in found.answers)
        self.seconds += seconds


def _is_stale(answer: Answer, flips: Sequence[Flip], first: str) -> bool:
    """`first` is the style that was there before the first of these flips."""
    acknowledged = [flip for flip in flips if flip.acknowledged <= answer.began]
    saved = [flip.style for flip in flips if flip.saved <= answer.ended]
    allowed = {*saved[max(0, len(acknowledged) - 1) :]} | ({first} if not acknowledged else set())
    return style_of(answer.text) not in allowed


async def run(stage: Stage, bare: BareEngine, *, flips: int) -> tuple[Counts, Counts]:
    """Ours, and the peers'."""
    ours, peers = Counts(), Counts()
    peer = _Peer(bare, stage)
    await stage.flip()
    await peer.begin()
    for done in range(0, flips, BLOCK):
        count = min(BLOCK, flips - done)
        await block(ours, stage, count)
        await peer.block(peers, count)
        print(
            f"  {done + count} of {flips} flips: ours failed {ours.failed}, the peers' way {peers.failed}", flush=True
        )
    await peer.end()
    return ours, peers


async def block(counts: Counts, stage: Stage, count: int) -> None:
    platform, begun, first = stage.platform, time.monotonic(), stage.flips[-1].style
    async with load_on(platform.url, platform.keys["acme"], model=ALIAS, callers=CALLERS) as found:
        await found.reach(CALLERS, "")
        flips = [await stage.flip() for _ in range(count)]
        await found.reach(len(found.answers) + CALLERS, "")
    counts.add(found, flips, time.monotonic() - begun, first)


class _Peer:
    def __init__(self, engine: BareEngine, stage: Stage) -> None:
        self._engine = engine
        self._root = stage.root / "peer"
        self._flips: list[Flip] = []

    async def begin(self) -> None:
        self._session = self._engine.session()
        await self._flip(unloading=False)

    async def end(self) -> None:
        await unload(self._session, ALIAS)
        await self._session.close()

    async def block(self, counts: Counts, count: int) -> None:
        begun, first = time.monotonic(), self._flips[-1].style
        async with load_on(f"{self._engine.url}/v1", KEY, model=ALIAS, callers=CALLERS) as found:
            await found.reach(CALLERS, "")
            flips = []
            for _ in range(count):
                flips.append(await self._flip())
                await asyncio.sleep(0.5)  # about the pace of the other contestant
            await found.reach(len(found.answers) + CALLERS, "")
        counts.add(found, flips, time.monotonic() - begun, first)

    async def _flip(self, *, unloading: bool = True) -> Flip:
        number = self._flips[-1].number + 1 if self._flips else 0
        style, directory = STYLES[number % len(STYLES)], self._root / f"{number:05}"
        await asyncio.to_thread(copy_version, directory, style, f"peer-{number}")
        saved = time.monotonic()
        if unloading:
            await unload(self._session, ALIAS)
        status, text = await load(self._session, ALIAS, directory)
        if status != 200:
            raise RuntimeError(f"the bare engine did not load version {number}: {text}")
        self._flips.append(Flip(number, saved, time.monotonic()))
        return self._flips[-1]
