"""A source's two files into a directory, whatever kind of source it is."""

import asyncio
import errno
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from serving.agent.errors import UnavailableError
from serving.agent.sources import gs, hub, local, oci, s3, web, workload
from serving.agent.sources.credentials import Credentials
from serving.agent.sources.download import Remote, download
from serving.agent.sources.http import Client, trust
from serving.agent.sources.part import Part, publish
from serving.agent.sources.policy import Policy
from serving.agent.sources.uri import (
    BucketSource,
    HubSource,
    LocalSource,
    RegistrySource,
    RemoteSource,
    VolumeSource,
    WebSource,
    parse,
    shown,
)
from serving.agent.verify import FILES


class Fetcher:
    """Stateless between fetches; any number may run at once, each into its own directory."""

    def __init__(self, policy: Policy) -> None:
        """Raises OSError when the policy's `ca_file` cannot be read."""
        self._policy = policy
        self._tls = trust(policy)

    async def fetch(self, source: str, into: Path, credentials: Mapping[str, str]) -> None:
        """`into` exists, and holds at most what an earlier attempt at the same source left there.

        Afterwards it holds the adapter's two files. After an error or a cancellation it may hold parts of them, which
        the next attempt goes on from. Raises RefusedError and UnavailableError.
        """
        parsed, name = parse(source), shown(source)
        parts = {file: Part(into, file) for file in FILES}
        try:
            async with asyncio.timeout(self._policy.timeout_s):
                if isinstance(parsed, LocalSource | VolumeSource):
                    await self._copy(parsed, name, parts)
                else:
                    await self._download(parsed, name, parts, Credentials(credentials))
                await asyncio.to_thread(publish, list(parts.values()))
        except TimeoutError as error:
            raise UnavailableError(
                "FetchTimedOut", f"{name} was not fetched within {self._policy.timeout_s:g} s; it is tried again"
            ) from error
        except OSError as error:
            raise _disk_fault(error, name) from error

    async def _copy(self, source: LocalSource | VolumeSource, name: str, parts: dict[str, Part]) -> None:
        """A thread cannot be cancelled, but it can be told; nobody touches its files before it has stopped."""
        directory, root = local.locate(source, name, self._policy)
        left = threading.Event()
        copying = asyncio.ensure_future(
            asyncio.to_thread(
                local.copy, directory, root, name, parts, self._policy.max_bytes, lambda: not left.is_set()
            )
        )
        try:
            await asyncio.shield(copying)
        finally:
            left.set()
            await asyncio.wait({copying})

    async def _download(
        self, source: RemoteSource, name: str, parts: dict[str, Part], credentials: Credentials
    ) -> None:
        async with Client(self._policy, self._tls, name) as client:
            remotes = await self._locate(client, source, credentials)
            room = self._policy.max_bytes
            for file, part in parts.items():
                room -= await download(client, remotes[file], part, room)

    async def _locate(self, client: Client, source: RemoteSource, credentials: Credentials) -> dict[str, Remote]:
        match source:
            case WebSource():
                return web.remotes(source, credentials)
            case HubSource():
                return await hub.remotes(client, source, credentials, self._policy.hf_endpoint)
            case BucketSource() if self._policy.workload.covers(source, credentials):
                return await self._locate(client, source, await self._own_credentials(client, source))
            case BucketSource(scheme="s3"):
                return s3.remotes(source, credentials, datetime.now(UTC))
            case BucketSource():
                return await gs.remotes(client, source, credentials, self._policy.gs_endpoint, datetime.now(UTC))
            case RegistrySource():
                return await oci.remotes(client, source, credentials)

    async def _own_credentials(self, client: Client, source: BucketSource) -> Credentials:
        """Google's metadata server has an address that no artifact may come from; STS is a server like any other."""
        if source.scheme != "gs":
            return await workload.credentials(client, self._policy.workload, source)
        async with Client(replace(self._policy, allow_private=True, proxy=None), self._tls, client.name) as inside:
            return await workload.credentials(inside, self._policy.workload, source)


def _disk_fault(error: OSError, name: str) -> UnavailableError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UnavailableError("NoSpace", f"{name}: no space left for adapters; free some, it is tried again")
    return UnavailableError(
        "ReadFailed", f"{name} could not be copied: {error.strerror or type(error).__name__}; it is tried again"
    )
