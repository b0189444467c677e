"""Where a server may send a fetch."""

import asyncio
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from serving.agent.sources.fetcher import Fetcher
from serving.agent.sources.policy import Policy
from tests.serving.agent.sources.attempt import refused
from tests.serving.agent.sources.servers import TAG, Asked, answering, raw_server, send


async def test_a_redirect_to_another_host_gets_no_credentials(policy: Policy, tls: ssl.SSLContext, into: Path) -> None:
    async def away(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await send(writer, "302 Found", {"Location": f"{other.url}/x?sig=a%2Fb"})

    async with raw_server(tls, answering("200 OK", TAG, b"{}")) as other, raw_server(tls, away) as server:
        await Fetcher(policy).fetch(server.url, into, {"HTTP_AUTHORIZATION": "Bearer abcdef"})
    assert [asked.headers.get("authorization") for asked in server.asked] == ["Bearer abcdef"] * 2
    assert [asked.headers.get("authorization") for asked in other.asked] == [None] * 2
    assert {asked.target for asked in other.asked} == {"/x?sig=a%2Fb"}


async def test_a_redirect_on_the_same_host_keeps_the_credentials(
    policy: Policy, tls: ssl.SSLContext, into: Path
) -> None:
    async def say(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.target == "/moved":
            await send(writer, "200 OK", TAG, b"{}")
        else:
            await send(writer, "307 Moved", {"Location": "/moved"})

    async with raw_server(tls, say) as server:
        await Fetcher(policy).fetch(server.url, into, {"HTTP_AUTHORIZATION": "Bearer abcdef"})
    assert {asked.headers.get("authorization") for asked in server.asked} == {"Bearer abcdef"}


async def test_redirects_in_a_circle_end(policy: Policy, tls: ssl.SSLContext, into: Path) -> None:
    async with raw_server(tls, answering("302 Found", {"Location": "/again"})) as server:
        error = await refused(policy, server.url, into)
    assert error.reason == "TooManyRedirects"
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://localhost/", "NotEncrypted"),
        ("file:///etc/passwd", "NotEncrypted"),
        ("https://[", "UrlInvalid"),
        ("https://localhost:99999/", "UrlInvalid"),
        ("https://ann:secret@localhost/", "UrlInvalid"),
        ("https://2130706433/", "UrlInvalid"),
    ],
)
async def test_a_redirect_leads_nowhere_but_to_https(
    policy: Policy, tls: ssl.SSLContext, into: Path, monkeypatch: pytest.MonkeyPatch, location: str, reason: str
) -> None:
    monkeypatch.setattr("service.public_addresses.is_public", lambda address: True)
    async with raw_server(tls, answering("302 Found", {"Location": location})) as server:
        assert (await refused(replace(policy, allow_private=False), server.url, into)).reason == reason
