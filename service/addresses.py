"""Addresses of HTTP servers: http://HOST:PORT, or unix:PATH for one that listens on a socket in the file system."""

from typing import Any

import aiohttp

UNIX = "unix:"


def connector(address: str, **options: Any) -> aiohttp.BaseConnector:
    """Inside a running loop; `options` are those that every connector of aiohttp takes."""
    if address.startswith(UNIX):
        return aiohttp.UnixConnector(address.removeprefix(UNIX), **options)
    return aiohttp.TCPConnector(**options)


def root(address: str) -> str:
    """What URLs begin with. A server behind a socket in the file system has no name of its own."""
    return "http://localhost" if address.startswith(UNIX) else address
