"""The pod's own identity: STS as moto answers it, and a metadata server, of which only Google's machines have one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from moto.server import ThreadedMotoServer

from serving.agent.errors import UnavailableError
from serving.agent.sources.credentials import Credentials
from serving.agent.sources.fetcher import Fetcher
from serving.agent.sources.http import Client, trust
from serving.agent.sources.identity import ACCESS_TOKEN, WorkloadIdentity
from serving.agent.sources.policy import Policy
from serving.agent.sources.workload import aws, google


@asynccontextmanager
async def _client(policy: Policy) -> AsyncIterator[Client]:
    async with Client(replace(policy, allow_private=True), trust(policy), "s3://models/a") as client:
        yield client


def test_the_identity_is_for_the_buckets_that_the_platform_names_and_gives_way_to_a_tenants_own_keys() -> None:
    identity = WorkloadIdentity(frozenset({"s3://models"}))
    assert identity.covers("s3://models", Credentials({}))
    assert not identity.covers("s3://others", Credentials({}))
    assert not identity.covers("gs://models", Credentials({}))
    assert not identity.covers("s3://models", Credentials({"AWS_ACCESS_KEY_ID": "k"}))


async def test_a_pods_token_is_exchanged_for_keys_of_its_role(policy: Policy, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("header.claims.signature\n")
    server = ThreadedMotoServer(port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        identity = WorkloadIdentity(role="arn:aws:iam::123456789012:role/models", token_file=token,
                                    sts=f"http://{host}:{port}")  # fmt: skip
        async with _client(policy) as client:
            found = await aws(client, identity)
    finally:
        server.stop()
    assert all(found.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))


async def test_google_is_asked_as_it_wants_to_be(policy: Policy) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Metadata-Flavor"] == "Google"
        return web.json_response({"access_token": "ya29.token", "expires_in": 3599, "token_type": "Bearer"})

    app = web.Application()
    app.router.add_get("/computeMetadata/v1/instance/service-accounts/default/token", answer)
    async with TestServer(app) as server, _client(policy) as client:
        identity = WorkloadIdentity(metadata=str(server.make_url("")).rstrip("/"))
        assert (await google(client, identity)).get(ACCESS_TOKEN) == "ya29.token"


async def test_a_pod_without_a_role_says_where_one_comes_from(policy: Policy) -> None:
    async with _client(policy) as client:
        with pytest.raises(UnavailableError) as caught:
            await aws(client, WorkloadIdentity())
    assert "engine.serviceAccountName" in caught.value.message


@pytest.mark.parametrize(("uri", "reason"), [("s3://models/a", "NoIdentity"), ("gs://models/a", "ConnectionFailed")])
async def test_a_bucket_of_the_platforms_is_read_as_the_pod(policy: Policy, uri: str, reason: str) -> None:
    """Without a role or a metadata server, it is the cloud that says no."""
    identity = WorkloadIdentity(frozenset({uri.removesuffix("/a")}), metadata="http://127.0.0.1:1")
    with pytest.raises(UnavailableError) as caught:
        await Fetcher(replace(policy, workload=identity)).fetch(uri, Path(), {})
    assert caught.value.reason == reason
