"""Serve the ingest worker: `python -m retrieval.ingest`."""

import argparse
import logging

from retrieval.ingest.app import create_app
from retrieval.ingest.settings import Settings
from service import logs
from service.server import serve

STOP_SECONDS = 3  # for open requests; long polls would wait longer


def main() -> None:
    argparse.ArgumentParser(
        prog="python -m retrieval.ingest",
        description="The worker that indexes documents. Told by QUIVER_INGEST_* alone.",
    ).parse_args()
    logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it tells of every change, as the worker does
    settings = Settings()  # type: ignore[call-arg]  # the environment fills it
    logs.configure()
    serve(create_app(settings), host=settings.host, port=settings.port, descriptor=settings.socket, stop_s=STOP_SECONDS)


if __name__ == "__main__":
    main()
