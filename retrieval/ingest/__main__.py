"""Serve the ingest worker: `python -m retrieval.ingest`."""

import logging

import uvicorn

from retrieval.ingest.app import create_app
from retrieval.ingest.settings import Settings

STOP_SECONDS = 3  # for requests in hand, of which a long poll would wait longer


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it tells of every change, as the worker does
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
