"""`python -m serving.agent`"""

import argparse

from service import logs
from service.server import serve
from serving.agent.app import create_app
from serving.agent.settings import Settings


def main() -> None:
    argparse.ArgumentParser(
        prog="python -m serving.agent", description="The agent of one engine. Told by QUIVER_AGENT_* alone."
    ).parse_args()
    logs.configure()
    settings = Settings()  # type: ignore[call-arg]  # its fields come from the environment
    serve(create_app(settings), host=settings.host, port=settings.port, descriptor=settings.socket)


if __name__ == "__main__":
    main()
