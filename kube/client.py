"""Requests to an API server: one method for each verb, plain data in and out.

The official client (`kubernetes.aio`) handles connections, certificates and credentials. Its generated models are not
used: they cost more than everything else in this package together.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config
from prometheus_client import CollectorRegistry, Counter

from kube.errors import GoneError, KubeError
from kube.resource import BY_KIND, PODS, SERVER, Resource

Item = dict[str, Any]

ANSWER_S = 30.0
PAGE = 500
MOST_LOG = 256 * 1024  # bytes
# The server ends a watch after this time; a new watch continues where it ended.
WATCH_S = 300
# A stream silent for longer may be dead: a new watch continues from the last version.
SILENCE_S = 90.0
_CONNECTIONS = 64
_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"


class ConfigurationError(Exception):
    """No usable configuration for a cluster was found; the message names the remedy."""


class Client:
    """Every method raises KubeError if the request does not succeed."""

    def __init__(self, api: ApiClient, registry: CollectorRegistry | None = None) -> None:
        self._api = api
        self._calls = Counter(
            "quiver_kubernetes_requests", "Requests to the API server.", ("verb", "kind", "code"), registry=registry
        )

    # Reading -------------------------------------------------------------------------------------------------

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Item:
        return await self._ask("GET", resource, resource.path(namespace, name))

    async def list(
        self, resource: Resource, *, namespace: str | None = None, selector: str = "", version: str = ""
    ) -> tuple[list[Item], str]:
        """All objects, and the version to watch from. Each gets its apiVersion and kind. With a `version`, as they are
        in the server's cache, no older than that: "0" takes whatever is there, as a first list may. Without, they are
        read from the database, page by page, which is slower."""
        items: list[Item] = []
        following = ""
        while True:
            query = {"limit": str(PAGE), "labelSelector": selector, "continue": following, "resourceVersion": version}
            page = await self._ask("GET", resource, resource.path(namespace), query=query)
            kind = {"apiVersion": resource.api_version, "kind": resource.kind}
            items += ({**kind, **item} for item in page.get("items") or ())
            following = page["metadata"].get("continue", "")
            if not following:
                return items, page["metadata"]["resourceVersion"]

    async def version(self) -> str:
        """The API server's version, as v1.34.4."""
        return str((await self._ask("GET", SERVER, "/version"))["gitVersion"])

    async def log(self, namespace: str, pod: str, container: str, *, last_lines: int) -> str:
        """The end of a container's output."""
        query = {"container": container, "tailLines": str(last_lines), "limitBytes": str(MOST_LOG)}
        path = PODS.path(namespace, pod, "log")
        timeout = aiohttp.ClientTimeout(total=ANSWER_S)
        async with self._response("GET", PODS, path, query=query, timeout=timeout) as response:
            await self._check(response)
            return (await response.read()).decode(errors="replace")

    async def watch(
        self, resource: Resource, version: str, *, namespace: str | None = None, selector: str = ""
    ) -> AsyncIterator[Item]:
        """Events after `version`, including bookmarks, until the server ends the stream or is silent for SILENCE_S.
        Raises GoneError if the server no longer keeps these events, KubeError if the stream breaks."""
        query = {"watch": "1", "resourceVersion": version, "labelSelector": selector,
                 "allowWatchBookmarks": "true", "timeoutSeconds": str(WATCH_S)}  # fmt: skip
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=ANSWER_S, sock_read=SILENCE_S)
        async with self._response("GET", resource, resource.path(namespace), query=query, timeout=timeout) as response:
            await self._check(response)
            while line := await _line(response.content):
                event = _parsed(line)
                if event["type"] == "ERROR":
                    raise _error(event["object"].get("code", 0), event["object"], None)
                yield event

    # Writing -------------------------------------------------------------------------------------------------

    async def apply(self, item: Item, *, manager: str, subresource: str | None = None) -> Item:
        """Server-side apply: `manager` owns the fields in `item`; fields it owned before and now omits are removed."""
        resource = BY_KIND[item["kind"]]
        query = {"fieldManager": manager, "force": "true"}
        path = resource.path_of(item, subresource)
        return await self._ask("PATCH", resource, path, query=query, body=item, content=_APPLY)

    async def merge(self, resource: Resource, namespace: str | None, name: str, patch: Item) -> Item:
        return await self._ask("PATCH", resource, resource.path(namespace, name), body=patch, content=_MERGE)

    async def create(self, item: Item) -> Item:
        resource = BY_KIND[item["kind"]]
        path = resource.path(item["metadata"].get("namespace"))
        return await self._ask("POST", resource, path, body=item)

    async def replace(self, item: Item) -> Item:
        """Raises KubeError (a conflict) if the object's version differs from the version in `item`."""
        resource = BY_KIND[item["kind"]]
        return await self._ask("PUT", resource, resource.path_of(item), body=item)

    async def delete(self, resource: Resource, namespace: str | None, name: str) -> None:
        """A missing object counts as deleted. What it owns is deleted after it."""
        path = resource.path(namespace, name)
        try:
            await self._ask("DELETE", resource, path, query={"propagationPolicy": "Background"})
        except KubeError as error:
            if not error.missing:
                raise

    # The wire ------------------------------------------------------------------------------------------------

    async def _ask(
        self,
        method: str,
        resource: Resource,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Item | None = None,
        content: str = "application/json",
    ) -> Item:
        timeout = aiohttp.ClientTimeout(total=ANSWER_S)
        async with self._response(
            method, resource, path, query=query, body=body, content=content, timeout=timeout
        ) as response:
            await self._check(response)
            return _parsed(await response.read())

    @asynccontextmanager
    async def _response(
        self,
        method: str,
        resource: Resource,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Item | None = None,
        content: str = "application/json",
        timeout: aiohttp.ClientTimeout,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        kept = urlencode({key: value for key, value in (query or {}).items() if value})
        url = f"{self._api.configuration.host}{path}{'?' if kept else ''}{kept}"
        headers = {"Content-Type": content, "Accept": "application/json"}
        code = "0"
        try:
            await self._api.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
            answer = await self._api.call_api(method, url, headers, body=body, _request_timeout=timeout)
            code = str(answer.status)
            async with answer.response as response:
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise KubeError(0, f"the API server does not answer: {type(error).__name__}: {error}") from error
        finally:
            verb = "WATCH" if (query or {}).get("watch") else method
            self._calls.labels(verb, resource.kind, code).inc()

    async def _check(self, response: aiohttp.ClientResponse) -> None:
        if response.status < 400:
            return
        text = await response.read()
        try:
            said = json.loads(text)
        except ValueError:
            said = {}
        raise _error(response.status, said if isinstance(said, dict) else {}, response.headers.get("Retry-After"))


async def _line(stream: aiohttp.StreamReader) -> bytes:
    """The next line; empty at the end of the stream, or after SILENCE_S without data."""
    try:
        return await stream.readline()
    except aiohttp.SocketTimeoutError:
        return b""


def _parsed(text: bytes) -> Item:
    """Raises KubeError for invalid JSON: a broken stream ends in half an object, a proxy may answer in HTML."""
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise KubeError(0, f"the API server's answer is not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise KubeError(0, "the API server's answer is not a JSON object")
    return parsed


def _error(status: int, said: Item, retry_after: str | None) -> KubeError:
    seconds = float(retry_after) if retry_after and retry_after.isdigit() else None
    kind = GoneError if status == 410 else KubeError
    return kind(status, " ".join(str(said.get("message", "no reason given")).split())[:500], seconds)


@asynccontextmanager
async def connect(kubeconfig: Path | None, registry: CollectorRegistry | None = None) -> AsyncIterator[Client]:
    """A client configured by a kubeconfig, or by the pod it runs in. Raises ConfigurationError."""
    configuration = Configuration()
    try:
        if kubeconfig:
            await load_kube_config(config_file=str(kubeconfig), client_configuration=configuration)  # type: ignore[no-untyped-call]
        else:
            load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    except ConfigException as error:
        raise ConfigurationError(f"{error}; run in a pod, or name a kubeconfig") from error
    configuration.connection_pool_maxsize = _CONNECTIONS
    async with ApiClient(configuration) as api:
        yield Client(api, registry)
