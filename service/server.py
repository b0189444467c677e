"""One application as a process."""

import logging

import uvicorn
from starlette.types import ASGIApp

from service.sockets import listening

logger = logging.getLogger(__name__)


def serve(app: ASGIApp, *, host: str, port: int, descriptor: int | None = None, stop_s: int = 10) -> None:
    """Until a signal comes; requests in hand then have `stop_s`. Raises OSError where the port is in use."""
    bound = listening(host, port, descriptor)
    logger.info("listening on http://%s:%d", host, bound.getsockname()[1])
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=stop_s)
    uvicorn.Server(config).run(sockets=[bound])
