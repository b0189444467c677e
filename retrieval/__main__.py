"""Serve the query path: `python -m retrieval`."""

import argparse

from retrieval.app import create_app
from retrieval.settings import Settings
from service import logs
from service.server import serve

STOP_SECONDS = 10  # for running requests


def main() -> None:
    argparse.ArgumentParser(
        prog="python -m retrieval",
        description="Searches documents. All settings are environment variables QUIVER_RETRIEVAL_*.",
    ).parse_args()
    settings = Settings()  # type: ignore[call-arg]  # the environment fills it
    logs.configure()
    serve(create_app(settings), host=settings.host, port=settings.port, descriptor=settings.socket, stop_s=STOP_SECONDS)


if __name__ == "__main__":
    main()
