"""Background tasks: each runs until the application stops; one that ends earlier is reported."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine

logger = logging.getLogger(__name__)


class Background:
    def __init__(self) -> None:
        self.fault = ""
        """Names a task that ended early, and the remedy; "" if there is none."""

    @contextlib.asynccontextmanager
    async def running(self, name: str, work: Coroutine[None, None, None]) -> AsyncIterator[None]:
        """Runs `work` until the block is left."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._on_end)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    def _on_end(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled():
            error = task.exception()
            self.fault = f"the task {task.get_name()!r} has ended ({error!r}); see its log, and restart the service"
            logger.error("%s", self.fault, exc_info=error)
