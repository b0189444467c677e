"""A directory in a bucket of an object store."""

import re
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Self

from serving.agent.sources.credentials import Credentials
from serving.agent.sources.http import Client
from serving.agent.sources.kind import Fetch, RemoteSource
from serving.agent.sources.uri import below, invalid

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,220}[A-Za-z0-9]")


@dataclass(frozen=True)
class BucketSource(RemoteSource):
    bucket: str
    prefix: str  # without slashes around it; may be empty

    @classmethod
    def parse(cls, source: str, rest: str) -> Self:
        bucket, _, prefix = rest.partition("/")
        if not _BUCKET.fullmatch(bucket) or ".." in bucket:
            raise invalid(source, "names no bucket; write the bucket, a slash and the directory in it")
        return cls(bucket, below(source, prefix))

    def key(self, file: str) -> str:
        return f"{self.prefix}/{file}" if self.prefix else file

    @abstractmethod
    async def own_credentials(self, client: Client, fetch: Fetch) -> Credentials:
        """The pod's own credentials in this cloud. Raises UnavailableError if there are none."""

    async def with_own_credentials(self, client: Client, fetch: Fetch) -> Fetch:
        """The fetch; with the pod's own credentials if the platform's identity covers this bucket."""
        if not fetch.policy.workload.covers(f"{self.schemes[0]}://{self.bucket}", fetch.credentials):
            return fetch
        return replace(fetch, credentials=await self.own_credentials(client, fetch))
