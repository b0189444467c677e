"""Serve the console: `python -m console`."""

import argparse

from console.app import create_app
from console.settings import Settings
from service import logs
from service.server import serve


def main() -> None:
    argparse.ArgumentParser(
        prog="python -m console",
        description="Serves the console's pages. All settings are environment variables QUIVER_CONSOLE_*.",
    ).parse_args()
    settings = Settings()  # type: ignore[call-arg]  # the environment fills it
    logs.configure()
    serve(create_app(settings), host=settings.host, port=settings.port, descriptor=settings.socket)


if __name__ == "__main__":
    main()
