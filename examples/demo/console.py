"""The console as a program sees it: signed in, pages read, forms sent."""

import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


_MARK = "0f6d1c"  # between the parts of a form
_opener = urllib.request.build_opener(_NoRedirect)


def ask(
    url: str, form: Mapping[str, str] | None = None, body: bytes | None = None, **headers: str
) -> tuple[int, str, str]:
    """The status, the cookie that was set, and the text. With a form, or the body of one, it is sent as from the
    console's own page."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    data = urlencode(form).encode() if form is not None else body
    request = urllib.request.Request(url, data, {"sec-fetch-site": "same-origin", **sent})
    try:
        with _opener.open(request, timeout=60) as answer:
            return answer.status, _cookie(answer.headers), answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _cookie(error.headers), error.read().decode(errors="replace")


def _cookie(headers: Any) -> str:
    return (headers.get("set-cookie") or "").partition(";")[0]


@dataclass(frozen=True)
class Console:
    """Somebody who is signed in."""

    url: str
    cookie: str

    def page(self, path: str, form: Mapping[str, str] | None = None) -> tuple[int, str]:
        """The status and the text."""
        status, _, text = ask(f"{self.url}{path}", form, cookie=self.cookie)
        return status, text

    def upload(self, path: str, purpose: str, name: str, content: str) -> int:
        """The status."""
        heads = {'name="purpose"': purpose, f'name="file"; filename="{name}"': content}
        parts = [
            f"--{_MARK}\r\ncontent-disposition: form-data; {head}\r\n\r\n{text}\r\n" for head, text in heads.items()
        ]
        body = f"{''.join(parts)}--{_MARK}--\r\n".encode()
        kind = f"multipart/form-data; boundary={_MARK}"
        return ask(f"{self.url}{path}", body=body, cookie=self.cookie, content_type=kind)[0]


def signed_in(url: str, key: str) -> Console | None:
    """None if the key is refused."""
    status, cookie, _ = ask(f"{url}/sign-in", {"key": key})
    return Console(url, cookie) if status == 303 and cookie else None
