"""`python -m serving.agent`"""

import argparse
import logging

import uvicorn

from serving.agent.app import create_app
from serving.agent.settings import Settings


def main() -> None:
    argparse.ArgumentParser(
        prog="python -m serving.agent", description="The agent of one engine. Told by QUIVER_AGENT_* alone."
    ).parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = Settings()  # type: ignore[call-arg]  # its fields come from the environment
    uvicorn.run(create_app(settings), host=settings.host, port=settings.port, log_config=None, access_log=False)


if __name__ == "__main__":
    main()
