"""oci://HOST/REPOSITORY:TAG: an artifact in a registry, in the form that `oras push` creates.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md and, for tokens,
https://distribution.github.io/distribution/spec/auth/token/
"""

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Self

from yarl import URL

from serving.agent.errors import RefusedError, UnavailableError
from serving.agent.sources.contents import absence
from serving.agent.sources.credentials import Credentials, basic
from serving.agent.sources.download import Remote
from serving.agent.sources.http import Client
from serving.agent.sources.kind import Fetch, RemoteSource
from serving.agent.sources.request import Access, Request
from serving.agent.sources.uri import invalid

_MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
_REGISTRY = re.compile(
    r"([A-Za-z0-9.-]+(?::[0-9]{1,5})?)"
    r"/([a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)"
    r"(?::([A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?"
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_MAX_TOKEN = 16_384
# Registries whose familiar name is not the host that speaks the protocol.
_HOSTS = {"docker.io": "registry-1.docker.io"}


@dataclass(frozen=True)
class RegistrySource(RemoteSource):
    schemes = ("oci",)
    forms = ("oci://HOST/REPOSITORY:TAG", "oci://HOST/REPOSITORY@sha256:…")

    host: str
    repository: str
    reference: str  # a tag, or sha256:…

    @classmethod
    def parse(cls, source: str, rest: str) -> Self:
        match = _REGISTRY.fullmatch(rest)
        if not match or not (match[3] or match[4]):
            raise invalid(source, f"names no artifact; write {' or '.join(cls.forms)}")
        return cls(match[1], match[2], match[4] or match[3])

    async def remotes(self, client: Client, fetch: Fetch) -> dict[str, Remote]:
        """Raises RefusedError unless the artifact has one of each file, and the manifest matches its digest."""
        base = f"https://{_HOSTS.get(self.host, self.host)}/v2/{self.repository}"
        access = Access.of(fetch.credentials, "OCI_USERNAME", "OCI_PASSWORD")
        url = URL(f"{base}/manifests/{self.reference}", encoded=True)
        request = Request(url, {"Accept": _MANIFESTS}, access)
        authorization = await _authorization(client, request, self, fetch.credentials)
        _, raw = await client.document(request.with_headers(authorization))
        digests = layers(raw, self.reference, client.name, fetch.parts)
        return {
            file: Remote(Request(URL(f"{base}/blobs/{digest}", encoded=True), authorization, access), digest)
            for file, digest in digests.items()
        }


def layers(raw: bytes, reference: str, name: str, files: Collection[str]) -> dict[str, str]:
    """File → digest of the layer titled with its name. `reference` is a tag, or the manifest's own digest."""
    if _DIGEST.fullmatch(reference) and f"sha256:{hashlib.sha256(raw).hexdigest()}" != reference:
        raise RefusedError("DigestMismatch", f"{name}: the manifest does not match its digest; push it again")
    titled = [layer for layer in _layers(raw, name) if layer is not None]
    refusal = absence(name, {title for title, _ in titled}, files)
    if refusal:
        raise refusal
    digests = {file: {digest for title, digest in titled if title == file} for file in files}
    if any(len(candidates) > 1 for candidates in digests.values()):
        raise RefusedError("ManifestInvalid", f"{name} holds a file twice; push each once")
    return {file: candidates.pop() for file, candidates in digests.items()}


def _layers(raw: bytes, name: str) -> list[tuple[str, str] | None]:
    try:
        manifest = json.loads(raw)
    except (ValueError, RecursionError):
        manifest = None
    match manifest:
        case {"layers": [*found]}:
            return [_titled(layer) for layer in found]
    raise RefusedError(
        "ManifestInvalid", f"{name} is not a single artifact (its manifest has no layers); push it with `oras push`"
    )


def _titled(layer: Any) -> tuple[str, str] | None:
    """The layer's file name and digest, None if it has none. Its title may be a path."""
    match layer:
        case {"digest": str(digest), "annotations": {"org.opencontainers.image.title": str(title)}}:
            if _DIGEST.fullmatch(digest):
                return PurePosixPath(title).name, digest
    return None


# Authentication ---------------------------------------------------------------------------------------------------


async def _authorization(
    client: Client, request: Request, source: RegistrySource, credentials: Credentials
) -> dict[str, str]:
    """The headers that answer the registry's challenge; none without a challenge."""
    async with client.open(request) as response:
        challenge = response.headers.get("WWW-Authenticate", "") if response.status == 401 else None
    if challenge is None:
        return {}
    user, password = credentials.get("OCI_USERNAME"), credentials.get("OCI_PASSWORD")
    login = {"Authorization": basic(user, password)} if user or password else {}
    if challenge.lower().startswith("basic") and login:
        return login
    if not challenge.lower().startswith("bearer"):
        raise RefusedError("AccessDenied", f"{client.name}: the registry wants a login; {request.access.advice()}")
    url = token_url(challenge, source, client.name)
    return {"Authorization": f"Bearer {await _token(client, Request(url, login, request.access))}"}


def token_url(challenge: str, source: RegistrySource, name: str) -> URL:
    """The token URL from the challenge; it asks for read access to this repository only."""
    parameters: Mapping[str, str] = dict(_PARAMETER.findall(challenge))
    query = {"scope": f"repository:{source.repository}:pull"}
    if "service" in parameters:
        query["service"] = parameters["service"]
    try:
        return URL(parameters.get("realm", "")).update_query(query)
    except ValueError as error:
        raise RefusedError(
            "ChallengeInvalid", f"{name}: the registry names no address to log in at; correct spec.source"
        ) from error


async def _token(client: Client, request: Request) -> str:
    _, body = await client.document(request)
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    match answer:
        case {"token": str(token)} | {"access_token": str(token)} if token.isprintable() and len(token) <= _MAX_TOKEN:
            return token
    raise UnavailableError("AnswerInvalid", f"{client.name}: the registry answers without a token; it is tried again")
