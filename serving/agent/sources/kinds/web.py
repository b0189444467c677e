"""https://HOST/DIRECTORY."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from yarl import URL

from serving.agent.sources.credentials import Credentials, basic
from serving.agent.sources.download import Remote
from serving.agent.sources.http import Client
from serving.agent.sources.kind import Fetch, RemoteSource
from serving.agent.sources.request import Access, Request
from serving.agent.sources.uri import invalid


@dataclass(frozen=True)
class WebSource(RemoteSource):
    schemes = ("https", "http")
    forms = ("https://HOST/DIRECTORY",)

    url: str  # of a directory, http or https

    @classmethod
    def parse(cls, source: str, rest: str) -> Self:
        try:
            parts = urlsplit(source)
            usable = parts.hostname is not None and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise invalid(source, "is not a URL; write https://HOST/DIRECTORY")
        if parts.username is not None:
            raise invalid(source, "holds a user; give HTTP_USERNAME and HTTP_PASSWORD as credentials instead")
        if not source.isascii() or " " in source:
            raise invalid(source, "holds characters not allowed in a URL; write them percent-encoded")
        return cls(source.partition("#")[0])

    async def remotes(self, client: Client, fetch: Fetch) -> dict[str, Remote]:
        """The files' names are appended to the path; the query is kept unchanged, since it may be signed."""
        directory, question, query = self.url.partition("?")
        access = Access.of(fetch.credentials, "HTTP_AUTHORIZATION", "HTTP_USERNAME", "HTTP_PASSWORD")
        headers = _authorization(fetch.credentials)
        urls = {file: URL(f"{directory.rstrip('/')}/{file}{question}{query}", encoded=True) for file in fetch.parts}
        return {file: Remote(Request(url, headers, access)) for file, url in urls.items()}


def _authorization(credentials: Credentials) -> dict[str, str]:
    value = credentials.get("HTTP_AUTHORIZATION")
    user, password = credentials.get("HTTP_USERNAME"), credentials.get("HTTP_PASSWORD")
    if not value and (user or password):
        value = basic(user, password)
    return {"Authorization": value} if value else {}
