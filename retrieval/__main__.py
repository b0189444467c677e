"""Serve the query path: `python -m retrieval`."""

import argparse
from functools import partial

from retrieval.app import create_app
from retrieval.server import serve
from retrieval.settings import Settings

STOP_SECONDS = 10  # for requests in hand


def main() -> None:
    argparse.ArgumentParser(
        prog="python -m retrieval", description="The search of documents. Told by QUIVER_RETRIEVAL_* alone."
    ).parse_args()
    settings = Settings()  # type: ignore[call-arg]  # the environment fills it
    serve(partial(create_app, settings), settings, stop_seconds=STOP_SECONDS)


if __name__ == "__main__":
    main()
