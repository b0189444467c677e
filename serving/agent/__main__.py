"""`python -m serving.agent`"""

import argparse

from service import logs
from service.event_loop import run
from service.server import serving
from serving.agent.app import agent
from serving.agent.settings import Settings


def main() -> None:
    argparse.ArgumentParser(
        prog="python -m serving.agent", description="The agent of one engine. Configured by QUIVER_AGENT_* only."
    ).parse_args()
    logs.configure()
    settings = Settings()  # type: ignore[call-arg]  # its fields come from the environment
    run(_run(settings))


async def _run(settings: Settings) -> None:
    async with agent(settings) as app:
        await serving(app, host=settings.host, port=settings.port, descriptor=settings.socket)


if __name__ == "__main__":
    main()
