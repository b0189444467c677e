"""Follow the sources: a change in one of them, or the passing of time, makes the worker look."""

import asyncio
import contextlib
from pathlib import Path

from watchfiles import awatch

from retrieval.errors import RetrievalError
from retrieval.ingest.worker import Worker

DEBOUNCE_MILLISECONDS = 200
STEP_MILLISECONDS = 50


async def follow(worker: Worker, wanted_changed: asyncio.Event, rescan_seconds: float) -> None:
    """Until cancelled. Begins anew when the set of sources that exist is another than before."""
    while True:
        wanted_changed.clear()
        roots = await _roots(worker)
        worker.look()
        if roots:
            await _until_others(worker, roots, wanted_changed, rescan_seconds)
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wanted_changed.wait(), rescan_seconds)


async def _until_others(
    worker: Worker, roots: list[Path], wanted_changed: asyncio.Event, rescan_seconds: float
) -> None:
    changes = awatch(
        *roots,
        watch_filter=None,
        debounce=DEBOUNCE_MILLISECONDS,
        step=STEP_MILLISECONDS,
        stop_event=wanted_changed,
        rust_timeout=int(rescan_seconds * 1_000),
        yield_on_timeout=True,
        ignore_permission_denied=True,
    )
    with contextlib.suppress(FileNotFoundError):  # a source that went away between the two calls
        async for _ in changes:
            worker.look()
            if await _roots(worker) != roots:
                return


async def _roots(worker: Worker) -> list[Path]:
    try:
        return await asyncio.to_thread(worker.roots)
    except RetrievalError:
        return []  # the worker itself tells what is wrong with the ledger
