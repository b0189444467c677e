"""hf://ORGANISATION/NAME@REVISION: the Hugging Face Hub (https://huggingface.co/docs/hub/api)."""

import json
import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote

from yarl import URL

from serving.agent.errors import UnavailableError
from serving.agent.sources.download import Remote
from serving.agent.sources.http import Client
from serving.agent.sources.kind import Fetch, RemoteSource
from serving.agent.sources.request import Access, Request
from serving.agent.sources.uri import invalid

_HUB = re.compile(r"([A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})(?:@([A-Za-z0-9][\w./-]{0,254}))?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class HubSource(RemoteSource):
    schemes = ("hf",)
    forms = ("hf://ORGANISATION/NAME@REVISION",)

    repository: str
    revision: str

    @classmethod
    def parse(cls, source: str, rest: str) -> Self:
        match = _HUB.fullmatch(rest)
        if not match or ".." in rest or "//" in rest:
            raise invalid(
                source, "names no repository; write hf://ORGANISATION/NAME or hf://ORGANISATION/NAME@REVISION"
            )
        return cls(match[1], match[2] or "main")

    async def remotes(self, client: Client, fetch: Fetch) -> dict[str, Remote]:
        """All files come from the same commit, even if the branch moves during the fetch."""
        endpoint = fetch.policy.hf_endpoint.rstrip("/")
        access = Access.of(fetch.credentials, "HF_TOKEN")
        token = fetch.credentials.get("HF_TOKEN")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        commit = self.revision
        if not _COMMIT.fullmatch(commit):
            commit = await _commit(client, Request(self._revision_url(endpoint), headers, access))
        base = f"{endpoint}/{self.repository}/resolve/{commit}"
        return {file: Remote(Request(URL(f"{base}/{file}"), headers, access)) for file in fetch.parts}

    def _revision_url(self, endpoint: str) -> URL:
        revision = quote(self.revision, safe="")
        return URL(f"{endpoint}/api/models/{self.repository}/revision/{revision}", encoded=True)


async def _commit(client: Client, request: Request) -> str:
    _, body = await client.document(request)
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    match answer:
        case {"sha": str(commit)} if _COMMIT.fullmatch(commit):
            return commit
    raise UnavailableError("AnswerInvalid", f"{client.name}: the Hub names no commit; it is tried again")
