"""Serve the management API: `python -m operators.management`."""

import argparse

from operators.management.app import create_app
from operators.settings import ManagementSettings
from service import logs
from service.server import serve


def main() -> None:
    argparse.ArgumentParser(
        prog="python -m operators.management",
        description="Serves the management API. All settings are environment variables QUIVER_MANAGEMENT_*.",
    ).parse_args()
    settings = ManagementSettings()  # type: ignore[call-arg]  # the environment fills it
    logs.configure()
    serve(create_app(settings), host=settings.host, port=settings.port, descriptor=settings.socket)


if __name__ == "__main__":
    main()
