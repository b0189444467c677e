"""Tasks beside the requests: ended with the application, and not unseen before."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine

from retrieval.errors import RetrievalError

log = logging.getLogger(__name__)


class Background:
    """A task that ends by itself is logged, and `check` raises from then on."""

    def __init__(self) -> None:
        self._ended = ""

    @contextlib.asynccontextmanager
    async def running(self, name: str, work: Coroutine[None, None, None]) -> AsyncIterator[None]:
        """Runs `work` until the block is left."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._tell)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    def check(self) -> None:
        """Raise `RetrievalError` if a task has ended."""
        if self._ended:
            raise RetrievalError(self._ended)

    def _tell(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled():
            error = task.exception()
            self._ended = f"The task {task.get_name()!r} has ended ({error!r}): its log has the details; restart this."
            log.error("%s", self._ended, exc_info=error)
