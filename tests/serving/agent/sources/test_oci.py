"""Against Debian's docker-registry, private and over TLS; the token dance against a server of the tests' own."""

import asyncio
import hashlib
import json
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from serving.agent.adapter_config import CONFIG
from serving.agent.errors import RefusedError
from serving.agent.sources.credentials import basic
from serving.agent.sources.fetcher import Fetcher
from serving.agent.sources.kinds.oci import RegistrySource, layers, token_url
from serving.agent.sources.policy import Policy
from serving.agent.verify import FILES
from serving.agent.weights import WEIGHTS
from tests.serving.agent.sources.attempt import refused, unavailable
from tests.serving.agent.sources.conftest import SIZE
from tests.serving.agent.sources.registry import PASSWORD, USER, Registry, registry
from tests.serving.agent.sources.servers import app_server, line

LOGIN = {"OCI_USERNAME": USER, "OCI_PASSWORD": PASSWORD}


@pytest.fixture(scope="module")
async def hub(
    authority: trustme.CA, ca_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Registry]:
    async with registry(tmp_path_factory.mktemp("registry"), authority, ca_file) as running:
        yield running


def _files(artifact: Path) -> list[Path]:
    return [artifact / name for name in FILES]


@pytest.mark.parametrize("folder", ["", "out/adapter/"])
async def test_an_artifact_is_fetched_by_its_tag(
    policy: Policy, hub: Registry, artifact: Path, into: Path, fetched: Callable[[], bool], folder: str
) -> None:
    await hub.push("team/a", "v1", _files(artifact), folder=folder)
    await Fetcher(policy).fetch(f"oci://{hub.host}/team/a:v1", into, LOGIN)
    assert fetched()


async def test_an_artifact_is_fetched_by_its_digest(
    policy: Policy, hub: Registry, artifact: Path, into: Path, fetched: Callable[[], bool]
) -> None:
    digest = await hub.push("team/a", "v1", _files(artifact))
    await Fetcher(policy).fetch(f"oci://{hub.host}/team/a@{digest}", into, LOGIN)
    assert fetched()


@pytest.mark.parametrize("credentials", [{}, {**LOGIN, "OCI_PASSWORD": "wrong"}])
async def test_a_private_registry_refuses_who_cannot_log_in(
    policy: Policy, hub: Registry, artifact: Path, into: Path, credentials: dict[str, str]
) -> None:
    await hub.push("team/a", "v1", _files(artifact))
    error = await refused(policy, f"oci://{hub.host}/team/a:v1", into, credentials)
    assert error.reason == "AccessDenied"
    given = "OCI_USERNAME and OCI_PASSWORD was given" if credentials else "no OCI_USERNAME or OCI_PASSWORD was given"
    assert given in error.message


async def test_a_tag_that_is_not_there_is_missing(policy: Policy, hub: Registry, into: Path) -> None:
    error = await refused(policy, f"oci://{hub.host}/team/absent:v1", into, LOGIN)
    assert error.reason == "SourceMissing"
    assert "MANIFEST_UNKNOWN" in error.message


async def test_an_artifact_of_other_files_is_refused(policy: Policy, hub: Registry, artifact: Path, into: Path) -> None:
    await hub.push("team/half", "v1", [artifact / CONFIG])
    error = await refused(policy, f"oci://{hub.host}/team/half:v1", into, LOGIN)
    assert error.reason == "FileMissing"
    assert WEIGHTS in error.message


async def test_a_blob_that_was_tampered_with_is_refused_and_never_published(
    policy: Policy, hub: Registry, artifact: Path, into: Path
) -> None:
    (artifact / WEIGHTS).write_bytes(b"right" * 1000)
    await hub.push("team/bad", "v1", _files(artifact))
    blob = hub.blob(f"sha256:{hashlib.sha256(b'right' * 1000).hexdigest()}")
    blob.write_bytes(b"wrong" * 1000)
    error = await refused(policy, f"oci://{hub.host}/team/bad:v1", into, LOGIN)
    assert error.reason == "DigestMismatch"
    assert not (into / WEIGHTS).exists()


async def test_another_artifact_under_the_same_tag_is_fetched_anew(
    policy: Policy, hub: Registry, artifact: Path, into: Path, fetched: Callable[[], bool]
) -> None:
    await hub.push("team/moving", "v1", _files(artifact))
    async with line(hub.port) as cut:
        cut.cut_after = SIZE * 2 // 3
        await unavailable(policy, f"oci://localhost:{cut.port}/team/moving:v1", into, LOGIN)
    (artifact / WEIGHTS).write_bytes(b"y" * SIZE)
    (artifact / CONFIG).write_bytes(b'{"r": 4}')
    await hub.push("team/moving", "v1", _files(artifact))
    await Fetcher(policy).fetch(f"oci://{hub.host}/team/moving:v1", into, LOGIN)
    assert fetched()


async def test_more_than_the_limit_is_refused(policy: Policy, hub: Registry, artifact: Path, into: Path) -> None:
    await hub.push("team/a", "v1", _files(artifact))
    error = await refused(replace(policy, max_bytes=SIZE), f"oci://{hub.host}/team/a:v1", into, LOGIN)
    assert error.reason == "TooLarge"


# Manifests and challenges ----------------------------------------------------------------------------------------


def _layer(title: str, digest: str = "sha256:" + "a" * 64) -> dict[str, object]:
    return {"digest": digest, "annotations": {"org.opencontainers.image.title": title}}


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        (b"not json", "ManifestInvalid"),
        (b"[" * 100_000, "ManifestInvalid"),
        (b'{"manifests": []}', "ManifestInvalid"),
        (b'{"layers": [1, null, {}]}', "FileMissing"),
        (json.dumps({"layers": [_layer(CONFIG), _layer("adapter_model.bin")]}).encode(), "Pickle"),
        (json.dumps({"layers": [_layer(CONFIG), _layer(WEIGHTS, "sha256:../../etc")]}).encode(), "FileMissing"),
        (
            json.dumps({"layers": [*map(_layer, FILES), _layer(WEIGHTS, "sha256:" + "b" * 64)]}).encode(),
            "ManifestInvalid",
        ),
    ],
)
def test_a_manifest_of_anything_else_is_refused(manifest: bytes, reason: str) -> None:
    with pytest.raises(RefusedError) as caught:
        layers(manifest, "v1", "oci://host/a:v1", FILES)
    assert caught.value.reason == reason


def test_a_manifest_that_is_not_what_its_digest_says_is_refused() -> None:
    manifest = json.dumps({"layers": [*map(_layer, FILES)]}).encode()
    assert layers(manifest, f"sha256:{hashlib.sha256(manifest).hexdigest()}", "oci://host/a", FILES)
    with pytest.raises(RefusedError) as caught:
        layers(manifest, "sha256:" + "0" * 64, "oci://host/a", FILES)
    assert caught.value.reason == "DigestMismatch"


def test_only_reading_the_repository_is_asked_for_whatever_the_challenge_says() -> None:
    challenge = 'Bearer realm="https://auth.example/token?a=b",service="r",scope="repository:other:push,pull"'
    url = token_url(challenge, RegistrySource("host", "team/a", "v1"), "oci://host/team/a:v1")
    assert dict(url.query) == {"a": "b", "service": "r", "scope": "repository:team/a:pull"}


async def _token_registry(artifact: Path, answer: object) -> tuple[web.Application, list[str]]:
    """Hands out a token for a login at /token, and wants it everywhere else."""
    app, logins = web.Application(), []
    digests = {f"sha256:{hashlib.sha256((artifact / name).read_bytes()).hexdigest()}": name for name in FILES}

    async def token(request: web.Request) -> web.Response:
        logins.append(request.headers.get("Authorization", ""))
        return web.json_response(answer)

    def admit(request: web.Request) -> None:
        if request.headers.get("Authorization") != "Bearer t0ken":
            realm = f"https://{request.host}/token"
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": f'Bearer realm="{realm}",service="here"'})

    async def manifest(request: web.Request) -> web.Response:
        admit(request)
        return web.json_response({"layers": [_layer(name, digest) for digest, name in digests.items()]})

    async def blob(request: web.Request) -> web.StreamResponse:
        admit(request)
        return web.FileResponse(artifact / digests[request.match_info["digest"]])

    app.router.add_get("/token", token)
    app.router.add_get("/v2/team/a/manifests/v1", manifest)
    app.router.add_get("/v2/team/a/blobs/{digest}", blob)
    return app, logins


@pytest.mark.parametrize("field", ["token", "access_token"])
async def test_a_challenge_is_answered_with_a_token(
    policy: Policy, tls: ssl.SSLContext, artifact: Path, into: Path, fetched: Callable[[], bool], field: str
) -> None:
    app, logins = await _token_registry(artifact, {field: "t0ken"})
    async with app_server(tls, app) as port:
        await Fetcher(policy).fetch(f"oci://localhost:{port}/team/a:v1", into, LOGIN)
    assert logins == [basic(USER, PASSWORD)]
    assert fetched()


@pytest.mark.parametrize("answer", [[], {}, {"token": 1}, {"token": "a\nb"}])
async def test_an_answer_without_a_token_is_tried_again(
    policy: Policy, tls: ssl.SSLContext, artifact: Path, into: Path, answer: object
) -> None:
    app, _ = await _token_registry(artifact, answer)
    async with app_server(tls, app) as port:
        error = await unavailable(policy, f"oci://localhost:{port}/team/a:v1", into, LOGIN)
    assert error.reason == "AnswerInvalid"


async def test_a_port_that_is_none_is_refused(policy: Policy, into: Path) -> None:
    assert (await refused(policy, "oci://host:99999/team/a:v1", into)).reason == "UrlInvalid"


async def test_a_manifest_without_end_is_refused(policy: Policy, tls: ssl.SSLContext, into: Path) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(65_536))
            await asyncio.sleep(0)

    app = web.Application()
    app.router.add_get("/v2/team/a/manifests/v1", endless)
    async with app_server(tls, app) as port:
        error = await refused(policy, f"oci://localhost:{port}/team/a:v1", into)
    assert error.reason == "AnswerTooLarge"
