"""A kind of source: it names its URI schemes, parses its URIs, and fetches files from it."""

import ssl
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Self

from serving.agent.sources.credentials import Credentials
from serving.agent.sources.download import Remote, download
from serving.agent.sources.http import Client
from serving.agent.sources.policy import Policy


@dataclass(frozen=True)
class Fetch:
    """One attempt. `name` is the source without secrets, `parts` are the files to fill, `now` is in UTC."""

    name: str
    parts: dict[str, Path]
    credentials: Credentials
    policy: Policy
    tls: ssl.SSLContext
    now: datetime


class Source(ABC):
    """One parsed URI. `forms` show people how to write such a URI."""

    schemes: ClassVar[tuple[str, ...]] = ()
    forms: ClassVar[tuple[str, ...]] = ()

    @classmethod
    @abstractmethod
    def parse(cls, source: str, rest: str) -> Self:
        """`rest` follows the scheme. Pure. Raises RefusedError."""

    @abstractmethod
    async def fetch(self, fetch: Fetch) -> None:
        """Fills the parts. Raises RefusedError, UnavailableError and OSError (the disk's)."""


class RemoteSource(Source):
    """A source with files behind HTTP requests."""

    @abstractmethod
    async def remotes(self, client: Client, fetch: Fetch) -> dict[str, Remote]:
        """The request for each file."""

    async def fetch(self, fetch: Fetch) -> None:
        async with Client(fetch.policy, fetch.tls, fetch.name) as client:
            remotes = await self.remotes(client, fetch)
            room = fetch.policy.max_bytes
            for file, part in fetch.parts.items():
                room -= await download(client, remotes[file], part, room)
