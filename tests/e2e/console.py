"""What a tenant's person does at the console, in a pod: `python -m tests.e2e.console`, told by KEYS ({tenant: key}).

A line for everything that is not as it should be; the last line says that it has ended.
"""

import json
import os
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlencode

CONSOLE, GATEWAY = "http://quiver-console", "http://quiver-gateway/v1"
DONE = "the console was tried"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def ask(url: str, form: Mapping[str, str] | None = None, **headers: str) -> tuple[int, HTTPResponse, str]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    data = urlencode(form).encode() if form is not None else None
    try:
        answer = _opener.open(urllib.request.Request(url, data, {"sec-fetch-site": "same-origin", **sent}), timeout=60)
    except urllib.error.HTTPError as error:
        answer = error
    return answer.status, answer, answer.read().decode(errors="replace")


def faults(keys: Mapping[str, str]) -> Iterator[str]:
    status, answer, _ = ask(f"{CONSOLE}/sign-in", {"key": keys["acme"]})
    cookie = (answer.headers.get("set-cookie") or "").partition(";")[0]
    if status != 303 or not cookie:
        yield f"the sign-in is answered with {status}"
        return
    for path, words in (("/adapters", "support"), ("/documents/vs_handbook", "refunds.md"), ("/usage", "meter"),
                        ("/changes", "session.open"), ("/keys", "e2e")):  # fmt: skip
        status, _, page = ask(f"{CONSOLE}{path}", cookie=cookie)
        if status != 200 or words not in page:
            yield f"{path} is answered with {status}, {'without' if words not in page else 'with'} {words}"
    yield from _key(cookie)
    if (status := ask(f"{CONSOLE}/documents/vs_manuals", cookie=cookie)[0]) != 404:
        yield f"another tenant's collection is answered with {status}"


def _key(cookie: str) -> Iterator[str]:
    """A key that a person makes lets callers in, and no longer once it is revoked."""
    name = f"console-{secrets.token_hex(3)}"
    status, _, page = ask(f"{CONSOLE}/keys", {"name": name, "scopes": "inference"}, cookie=cookie)
    key = page.partition('<pre tabindex="0">')[2].partition("<")[0]
    if status != 200 or not key.startswith("qv-acme-"):
        yield f"making a key is answered with {status}"
        return
    if not _becomes(200, key):
        yield "the new key lets nobody in"
    status = ask(f"{CONSOLE}/keys/{name}/revoke", {}, cookie=cookie)[0]
    if status != 303 or not _becomes(401, key):
        yield f"revoking the key is answered with {status}, and it still lets callers in"


def _becomes(wanted: int, key: str) -> bool:
    """Gateways follow within seconds."""
    return any(ask(f"{GATEWAY}/models", authorization=f"Bearer {key}")[0] == wanted for _ in range(2_000))


if __name__ == "__main__":
    for fault in faults(json.loads(os.environ["KEYS"])):
        print(fault)
    print(DONE)
