"""Shared parts of URIs (pure)."""

import re

from serving.agent.errors import RefusedError

MAX_LENGTH = 2048
MAX_SHOWN = 200

_USER = re.compile(r"//[^/?#]*@")


def shown(source: str) -> str:
    """The source as messages show it: escaped, of bounded length, without possible secrets (user, query)."""
    public = _USER.sub("//", source[:MAX_LENGTH]).partition("?")[0]
    return public.encode("unicode_escape").decode("ascii")[:MAX_SHOWN]


def below(source: str, path: str) -> str:
    """The path without slashes around it. Raises RefusedError if a part of it leads elsewhere."""
    inner = path.strip("/")
    if inner and any(part in ("", ".", "..") for part in inner.split("/")):
        raise invalid(source, "has an empty, '.' or '..' part in its path; remove it")
    return inner


def invalid(source: str, problem: str) -> RefusedError:
    return RefusedError("SourceInvalid", f"{shown(source)} {problem}")
