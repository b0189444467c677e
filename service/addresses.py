"""Addresses of HTTP servers: http://HOST:PORT, or unix:PATH for a Unix socket."""

from typing import Any

import aiohttp

UNIX = "unix:"


def connector(address: str, **options: Any) -> aiohttp.BaseConnector:
    """Needs a running loop; `options` are passed to aiohttp's connector."""
    if address.startswith(UNIX):
        return aiohttp.UnixConnector(address.removeprefix(UNIX), **options)
    return aiohttp.TCPConnector(**options)


def root(address: str) -> str:
    """The prefix of URLs. A server on a Unix socket has no host name."""
    return "http://localhost" if address.startswith(UNIX) else address
