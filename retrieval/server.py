"""One of the applications as a process."""

import logging
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from retrieval.settings import ServiceSettings


def serve(create: Callable[[], Starlette], settings: ServiceSettings, *, stop_seconds: int) -> None:
    """Serve until a signal comes; requests in hand then have `stop_seconds`."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    uvicorn.run(
        create(),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=stop_seconds,
    )
