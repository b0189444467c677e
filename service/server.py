"""Runs one application as a process."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from service.event_loop import run
from service.sockets import listening

logger = logging.getLogger(__name__)


def serve(app: ASGIApp, *, host: str, port: int, descriptor: int | None = None, stop_s: int = 10) -> None:
    """As `serving`, for a process with no other work."""
    run(serving(app, host=host, port=port, descriptor=descriptor, stop_s=stop_s))


async def serving(app: ASGIApp, *, host: str, port: int, descriptor: int | None = None, stop_s: int = 10) -> None:
    """Serves until SIGTERM or SIGINT; open requests then get `stop_s` seconds. Raises OSError if the port is used."""
    bound = listening(host, port, descriptor)
    logger.info("listening on http://%s:%d", host, bound.getsockname()[1])
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=stop_s)
    await _Server(config).serve(sockets=[bound])


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Replaces uvicorn's handler, which re-sends the signal and ends the process before the caller cleans up."""
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGTERM, signal.SIGINT)
        for number in numbers:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)
