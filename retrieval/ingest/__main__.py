"""Serve the ingest worker: `python -m retrieval.ingest`."""

import argparse
import logging

from retrieval.ingest.app import create_app
from retrieval.ingest.settings import Settings
from service import logs
from service.server import serve

STOP_SECONDS = 3  # for running requests; long polls would last longer


def main() -> None:
    argparse.ArgumentParser(
        prog="python -m retrieval.ingest",
        description="Indexes documents. All settings are environment variables QUIVER_INGEST_*.",
    ).parse_args()
    logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it logs every change, and the worker does too
    settings = Settings()  # type: ignore[call-arg]  # the environment fills it
    logs.configure()
    serve(create_app(settings), host=settings.host, port=settings.port, descriptor=settings.socket, stop_s=STOP_SECONDS)


if __name__ == "__main__":
    main()
