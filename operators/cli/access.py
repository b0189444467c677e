"""A public API, and the key of its caller."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import click

from operators.clients.public_client import PublicClient, RefusedError, connected

T = TypeVar("T")


@dataclass(frozen=True)
class Access:
    """`service` is the API's name in messages."""

    url: str
    key: str
    service: str

    def run(self, work: Callable[[PublicClient], Awaitable[T]]) -> T:
        """Raises ClickException with what the API says."""

        async def connected_work() -> T:
            async with connected(self.url, self.key, self.service) as client:
                return await work(client)

        try:
            return asyncio.run(connected_work())
        except RefusedError as error:
            raise click.ClickException(str(error)) from error
