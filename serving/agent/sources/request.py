"""A request to a remote, and the meaning of its answer's status (pure)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from yarl import URL

from serving.agent.errors import AgentError, RefusedError, UnavailableError
from serving.agent.sources.credentials import Credentials

# Error codes of object stores, registries and the Hub: one word, so messages may quote it.
_CODE = re.compile(r'<Code>(\w{1,64})</Code>|"code"\s*:\s*"(\w{1,64})"')
_WORD = re.compile(r"\w{1,64}", re.ASCII)
_TRY_AGAIN = (408, 425, 429)


@dataclass(frozen=True)
class Access:
    """The credential keys that this kind of source uses, and those of them that were given."""

    keys: tuple[str, ...]
    given: tuple[str, ...]

    @classmethod
    def of(cls, credentials: Credentials, *keys: str) -> "Access":
        return cls(keys, credentials.given(keys))

    def advice(self) -> str:
        if self.given:
            return f"{' and '.join(self.given)} was given: renew it, or give it the right to read"
        return f"no {' or '.join(self.keys)} was given: add it to the credentials"


@dataclass(frozen=True)
class Request:
    """`headers` may hold secrets: they are sent to the URL's own origin only."""

    url: URL
    headers: Mapping[str, str] = field(repr=False)
    access: Access
    body: bytes | None = field(default=None, repr=False)

    def with_headers(self, headers: Mapping[str, str]) -> "Request":
        return replace(self, headers={**self.headers, **headers})


def fault(name: str, access: Access, status: int, headers: Mapping[str, str], body: str) -> AgentError | None:
    """The error of an unsuccessful answer; None for a success. `name` is the source as shown to people."""
    if 200 <= status < 300:
        return None
    message = f"{name}: the server answered {status}{_code(headers, body)}"
    if status in (401, 403):
        return RefusedError("AccessDenied", f"{message}; {access.advice()}")
    if status in (404, 410):
        return RefusedError("SourceMissing", f"{message}; correct spec.source, or put the adapter there")
    if status >= 500 or status in _TRY_AGAIN:
        return UnavailableError("SourceUnavailable", f"{message}; it is tried again")
    return RefusedError("SourceRefused", f"{message}; correct spec.source or its credentials")


def _code(headers: Mapping[str, str], body: str) -> str:
    match = _CODE.search(body)
    code = headers.get("X-Error-Code", "") or (match and (match[1] or match[2])) or ""
    return f" ({code})" if _WORD.fullmatch(code) else ""
