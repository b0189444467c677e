"""Serve the query path: `python -m retrieval`."""

import logging

import uvicorn

from retrieval.app import create_app
from retrieval.settings import Settings

STOP_SECONDS = 10  # for requests in hand


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    settings = Settings()  # type: ignore[call-arg]  # the environment fills it
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )


if __name__ == "__main__":
    main()
