"""`python -m serving.gateway`"""

import argparse
import asyncio
import logging
from functools import partial
from typing import cast

import uvicorn

from service import logs
from service.sockets import listening
from serving.gateway.app import create_app
from serving.gateway.connections import Connection, Limits, raise_descriptor_limit, room
from serving.gateway.settings import Settings

# Longer than callers keep an idle connection (httpx and the OpenAI client: 5 s): a request is lost if the server closes
# the connection while the caller sends.
KEEP_ALIVE_S = 75


def main() -> None:
    argparse.ArgumentParser(
        prog="python -m serving.gateway", description="The gateway, configured by QUIVER_GATEWAY_* only."
    ).parse_args()
    logs.configure()
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    settings = Settings()  # type: ignore[call-arg]  # its fields come from the environment
    config = configuration(settings)
    sockets = [
        listening(settings.host, settings.port, settings.socket),
        listening(settings.host, settings.internal_port, settings.internal_socket),
    ]
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(uvicorn.Server(config).serve(sockets=sockets))


def configuration(settings: Settings) -> uvicorn.Config:
    limits = Limits(
        public_port=settings.port,
        connections=min(settings.max_connections, room(raise_descriptor_limit())),
        connections_per_address=settings.max_connections_per_address,
        header_s=settings.header_timeout_s,
        write_s=settings.write_timeout_s,
        idle_drain_s=settings.idle_drain_s,
    )
    return uvicorn.Config(
        create_app(settings),
        http=cast(type[asyncio.Protocol], partial(Connection, limits=limits)),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
    )


if __name__ == "__main__":
    main()
