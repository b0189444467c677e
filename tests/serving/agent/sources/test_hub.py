import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiohttp import web

from serving.agent.sources.fetcher import Fetcher
from serving.agent.sources.policy import Policy
from tests.serving.agent.sources.attempt import refused, unavailable
from tests.serving.agent.sources.servers import Log, app_server, file_server

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_secret"


@dataclass
class Hub:
    """As the Hub answers: a commit for a branch, and for each file a redirect to another host."""

    cdn: str
    sha: object = COMMIT
    paths: list[str] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/api/models/org/name/revision/{revision}", self._revision)
        app.router.add_get("/org/name/resolve/{revision}/{file}", self._resolve)
        return app

    def _admit(self, request: web.Request) -> None:
        self.paths.append(request.raw_path)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise web.HTTPUnauthorized(headers={"X-Error-Code": "RepoNotFound"})

    async def _revision(self, request: web.Request) -> web.Response:
        self._admit(request)
        if request.match_info["revision"] == "absent":
            raise web.HTTPNotFound(headers={"X-Error-Code": "RevisionNotFound"})
        return web.json_response({"id": "org/name", "sha": self.sha})

    async def _resolve(self, request: web.Request) -> web.Response:
        self._admit(request)
        raise web.HTTPFound(f"{self.cdn}/{request.match_info['file']}")


@asynccontextmanager
async def _running(tls: ssl.SSLContext, artifact: Path, policy: Policy) -> AsyncIterator[tuple[Hub, Log, Policy]]:
    async with file_server(tls, artifact) as cdn:
        hub = Hub(cdn=f"https://127.0.0.1:{cdn.port}")
        async with app_server(tls, hub.app()) as port:
            yield hub, cdn, replace(policy, hf_endpoint=f"https://localhost:{port}/")


async def test_both_files_come_from_the_commit_that_the_branch_is_at(
    policy: Policy, tls: ssl.SSLContext, artifact: Path, into: Path, fetched: Callable[[], bool]
) -> None:
    async with _running(tls, artifact, policy) as (hub, _, there):
        await Fetcher(there).fetch("hf://org/name@refs/pr/1", into, {"HF_TOKEN": f"{TOKEN}\n"})
    assert hub.paths[0] == "/api/models/org/name/revision/refs%2Fpr%2F1"
    assert [path.split("/")[4] for path in hub.paths[1:]] == [COMMIT, COMMIT]
    assert fetched()


async def test_the_token_goes_to_the_hub_and_not_to_where_it_redirects(
    policy: Policy, tls: ssl.SSLContext, artifact: Path, into: Path
) -> None:
    async with _running(tls, artifact, policy) as (_, cdn, there):
        await Fetcher(there).fetch("hf://org/name", into, {"HF_TOKEN": TOKEN})
    assert len(cdn.asked) == 2
    assert not [asked for asked in cdn.asked if "authorization" in asked.headers]


async def test_a_commit_needs_no_look_up(policy: Policy, tls: ssl.SSLContext, artifact: Path, into: Path) -> None:
    async with _running(tls, artifact, policy) as (hub, _, there):
        await Fetcher(there).fetch(f"hf://org/name@{COMMIT}", into, {"HF_TOKEN": TOKEN})
    assert not [path for path in hub.paths if path.startswith("/api")]


async def test_a_private_repository_without_the_token_says_which_key_is_wanted(
    policy: Policy, tls: ssl.SSLContext, artifact: Path, into: Path
) -> None:
    async with _running(tls, artifact, policy) as (_, _, there):
        error = await refused(there, "hf://org/name", into)
        wrong = await refused(there, "hf://org/name", into, {"HF_TOKEN": "hf_wrong"})
    assert error.reason == wrong.reason == "AccessDenied"
    assert "(RepoNotFound); no HF_TOKEN was given" in error.message
    assert "HF_TOKEN was given" in wrong.message


async def test_a_revision_that_is_not_there_is_missing(
    policy: Policy, tls: ssl.SSLContext, artifact: Path, into: Path
) -> None:
    async with _running(tls, artifact, policy) as (_, _, there):
        error = await refused(there, "hf://org/name@absent", into, {"HF_TOKEN": TOKEN})
    assert error.reason == "SourceMissing"
    assert "RevisionNotFound" in error.message


@pytest.mark.parametrize("sha", [None, "main", "../../../etc", COMMIT.upper(), 7])
async def test_what_is_no_commit_is_never_asked_for(
    policy: Policy, tls: ssl.SSLContext, artifact: Path, into: Path, sha: object
) -> None:
    async with _running(tls, artifact, policy) as (hub, _, there):
        hub.sha = sha
        error = await unavailable(there, "hf://org/name", into, {"HF_TOKEN": TOKEN})
    assert error.reason == "AnswerInvalid"
    assert len(hub.paths) == 1
