"""Follows the sources: after a change in one of them, the worker scans before its next regular scan."""

import asyncio
import contextlib
import logging
from pathlib import Path

from watchfiles import awatch

from retrieval.errors import RetrievalError
from retrieval.ingest.worker import Worker

DEBOUNCE_MILLISECONDS = 200
STEP_MILLISECONDS = 50
RETRY_SECONDS = 60.0  # after the kernel has refused to follow

log = logging.getLogger(__name__)


async def follow(worker: Worker, wanted_changed: asyncio.Event, rescan_seconds: float) -> None:
    """Runs until cancelled. Follows other sources when the set of existing sources changes."""
    while True:
        wanted_changed.clear()
        roots = await _roots(worker)
        worker.look()
        try:
            if roots:
                await _until_others(worker, roots, wanted_changed, rescan_seconds)
            else:
                await _wait(wanted_changed, rescan_seconds)
        except (OSError, RuntimeError) as error:  # watchfiles may report a lack of handles as RuntimeError
            log.warning(
                "The sources cannot be followed (%s): raise fs.inotify.max_user_instances, fs.inotify.max_user_watches "
                "or the limit on open files; until then they are looked at every %s seconds.",
                error,
                rescan_seconds,
            )
            await _wait(wanted_changed, RETRY_SECONDS)


async def _until_others(
    worker: Worker, roots: list[Path], wanted_changed: asyncio.Event, rescan_seconds: float
) -> None:
    watched = awatch(
        *roots,
        watch_filter=None,
        debounce=DEBOUNCE_MILLISECONDS,
        step=STEP_MILLISECONDS,
        stop_event=wanted_changed,
        rust_timeout=int(rescan_seconds * 1_000),
        yield_on_timeout=True,
        ignore_permission_denied=True,
    )
    with contextlib.suppress(FileNotFoundError):  # a source vanished between the two calls
        async for changes in watched:
            if changes:
                worker.look()
            if await _roots(worker) != roots:
                return


async def _wait(changed: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(changed.wait(), seconds)


async def _roots(worker: Worker) -> list[Path]:
    try:
        return await asyncio.to_thread(worker.roots)
    except RetrievalError:
        return []  # the worker itself reports faults of the ledger
