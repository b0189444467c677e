import asyncio
import os
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from serving.agent.adapter_config import CONFIG
from serving.agent.errors import UnavailableError
from serving.agent.sources import download
from serving.agent.sources.fetcher import Fetcher
from serving.agent.sources.policy import Policy
from serving.agent.weights import WEIGHTS
from tests.serving.agent.sources.attempt import refused, unavailable
from tests.serving.agent.sources.conftest import SIZE
from tests.serving.agent.sources.servers import TAG, Asked, Say, answering, file_server, line, raw_server, send


def _weights(say: Say) -> Say:
    """A right configuration, and these weights."""

    async def choose(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if CONFIG in asked.target:
            await send(writer, "200 OK", TAG, b"{}")
        else:
            await say(asked, writer)

    return choose


async def test_both_files_of_a_directory_arrive_and_nothing_else(
    policy: Policy, tls: ssl.SSLContext, artifact: Path, into: Path, fetched: Callable[[], bool]
) -> None:
    async with file_server(tls, artifact) as server:
        await Fetcher(policy).fetch(f"{server.url}/", into, {})
    assert fetched()


async def test_the_query_stays_behind_the_names_and_out_of_messages(
    policy: Policy, tls: ssl.SSLContext, into: Path
) -> None:
    async with raw_server(tls, answering("404 Not Found", {})) as server:
        error = await refused(policy, f"{server.url}/a?sig=s3cr3t%2Fa%3D", into)
    assert [asked.target for asked in server.asked] == [f"/a/{CONFIG}?sig=s3cr3t%2Fa%3D"]
    assert error.reason == "SourceMissing"
    assert "s3cr3t" not in error.message


@pytest.mark.parametrize(
    ("credentials", "sent"),
    [
        ({"HTTP_AUTHORIZATION": "Bearer abc\n"}, "Bearer abc"),
        ({"HTTP_USERNAME": "ann", "HTTP_PASSWORD": "secret"}, "Basic YW5uOnNlY3JldA=="),
        ({}, None),
    ],
)
async def test_credentials_are_sent_as_the_authorization(
    policy: Policy, tls: ssl.SSLContext, into: Path, credentials: dict[str, str], sent: str | None
) -> None:
    async with raw_server(tls, answering("200 OK", TAG, b"{}")) as server:
        await Fetcher(policy).fetch(server.url, into, credentials)
    assert [asked.headers.get("authorization") for asked in server.asked] == [sent, sent]


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
async def test_denied_access_names_the_key_that_was_or_was_not_given(
    policy: Policy, tls: ssl.SSLContext, into: Path, status: str
) -> None:
    async with raw_server(tls, answering(status, {})) as server:
        without = await refused(policy, server.url, into)
        given = await refused(policy, server.url, into, {"HTTP_AUTHORIZATION": "Bearer abcdef"})
    assert without.reason == given.reason == "AccessDenied"
    assert "no HTTP_AUTHORIZATION or HTTP_USERNAME or HTTP_PASSWORD was given" in without.message
    assert "HTTP_AUTHORIZATION was given" in given.message


async def test_a_credential_of_two_lines_is_refused_before_anything_is_sent(policy: Policy, into: Path) -> None:
    error = await refused(policy, "https://localhost:9/", into, {"HTTP_AUTHORIZATION": "Bearer a\r\nX-Evil: 1"})
    assert error.reason == "CredentialInvalid"
    assert "HTTP_AUTHORIZATION" in error.message


@pytest.mark.parametrize("status", ["500 Oops", "503 Busy", "429 Slow Down", "408 Timeout"])
async def test_a_server_in_trouble_is_tried_again(policy: Policy, tls: ssl.SSLContext, into: Path, status: str) -> None:
    async with raw_server(tls, answering(status, {})) as server:
        assert (await unavailable(policy, server.url, into)).reason == "SourceUnavailable"


async def test_an_error_repeats_only_a_code_of_what_the_server_says(
    policy: Policy, tls: ssl.SSLContext, into: Path
) -> None:
    body = b"<Error><Code>Strange</Code>\x1b[31m" + b"x" * 100_000
    async with raw_server(tls, answering("400 Bad", {}, body)) as server:
        error = await refused(policy, server.url, into)
    assert "answered 400 (Strange);" in error.message
    assert "xxx" not in error.message


async def test_an_error_whose_body_never_ends_or_never_comes_is_still_known_by_its_status(
    policy: Policy, tls: ssl.SSLContext, into: Path
) -> None:
    async def endless(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            await writer.drain()

    async def silence(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n")
        await asyncio.sleep(60)

    for say in (endless, silence):
        async with raw_server(tls, say) as server:
            assert (await refused(replace(policy, stall_s=0.5), server.url, into)).reason == "SourceMissing"


async def test_nobody_listening_is_tried_again(policy: Policy, into: Path) -> None:
    assert (await unavailable(policy, "https://localhost:9", into)).reason == "ConnectionFailed"


async def test_a_name_that_nobody_knows_is_tried_again(policy: Policy, into: Path) -> None:
    assert (await unavailable(policy, "https://nowhere.invalid", into)).reason == "ConnectionFailed"


async def test_a_certificate_of_an_unknown_authority_is_not_trusted(
    policy: Policy, tls: ssl.SSLContext, artifact: Path, into: Path
) -> None:
    async with file_server(tls, artifact) as server:
        error = await unavailable(replace(policy, ca_file=None), server.url, into)
    assert "certificate" in error.message
    assert server.asked == []


async def test_without_tls_only_private_addresses_are_spoken_to(
    policy: Policy, artifact: Path, into: Path, fetched: Callable[[], bool]
) -> None:
    async with file_server(None, artifact) as server:
        source = f"http://127.0.0.1:{server.port}"
        assert (await refused(replace(policy, allow_private=False), source, into)).reason == "NotEncrypted"
        await Fetcher(policy).fetch(source, into, {})
    assert fetched()


# Addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_private_address_is_refused_by_number_and_by_name(
    policy: Policy, tls: ssl.SSLContext, artifact: Path, into: Path, host: str
) -> None:
    async with file_server(tls, artifact) as server:
        error = await refused(replace(policy, allow_private=False), f"https://{host}:{server.port}", into)
    assert error.reason == "AddressRefused"
    assert server.asked == []


@pytest.mark.parametrize("host", ["169.254.169.254", "[::ffff:127.0.0.1]", "[fd00:ec2::254]"])
async def test_other_ways_to_write_a_private_address_are_refused(policy: Policy, into: Path, host: str) -> None:
    error = await refused(replace(policy, allow_private=False), f"https://{host}:9", into)
    assert error.reason == "AddressRefused"


async def test_a_redirect_to_a_private_address_is_refused(
    policy: Policy, tls: ssl.SSLContext, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.public_addresses.is_public", lambda address: address == "127.0.0.1")
    async with raw_server(tls, answering("200 OK", TAG, b"{}"), "127.0.0.2") as inside:
        away = answering("302 Found", {"Location": f"https://127.0.0.2:{inside.port}/secret"})
        async with raw_server(tls, away) as server:
            error = await refused(replace(policy, allow_private=False), f"https://127.0.0.1:{server.port}", into)
    assert error.reason == "AddressRefused"
    assert "127.0.0.2" in error.message
    assert inside.asked == []


# Bounds ----------------------------------------------------------------------------------------------------------


async def test_a_server_that_falls_silent_is_left(policy: Policy, tls: ssl.SSLContext, into: Path) -> None:
    async def stall(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await asyncio.sleep(60)

    async with raw_server(tls, stall) as server:
        error = await unavailable(replace(policy, stall_s=0.2), server.url, into)
    assert error.reason == "ConnectionFailed"
    assert "sent nothing for 0.2 s" in error.message


async def test_a_server_that_never_answers_is_left(policy: Policy, tls: ssl.SSLContext, into: Path) -> None:
    async def silence(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with raw_server(tls, silence) as server:
        error = await unavailable(replace(policy, stall_s=0.2), server.url, into)
    assert "sent nothing for 0.2 s" in error.message


async def test_a_server_that_trickles_is_left_at_the_end_of_the_time(
    policy: Policy, tls: ssl.SSLContext, into: Path
) -> None:
    async def trickle(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with raw_server(tls, trickle) as server:
        error = await unavailable(replace(policy, timeout_s=0.5), server.url, into)
    assert error.reason == "FetchTimedOut"


async def test_an_endless_body_ends_at_the_limit(policy: Policy, tls: ssl.SSLContext, into: Path) -> None:
    async def endless(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            await writer.drain()

    async with raw_server(tls, _weights(endless)) as server:
        error = await refused(replace(policy, max_bytes=1_000_000), server.url, into)
    assert error.reason == "TooLarge"
    assert sum(path.stat().st_size for path in into.iterdir()) < 1_100_000


async def test_a_length_over_the_limit_is_refused_before_a_byte_is_kept(
    policy: Policy, tls: ssl.SSLContext, artifact: Path, into: Path
) -> None:
    async with file_server(tls, artifact) as server:
        error = await refused(replace(policy, max_bytes=SIZE), server.url, into)
    assert error.reason == "TooLarge"
    assert not (into / f"{WEIGHTS}.part").exists()


async def test_a_body_shorter_than_its_length_is_tried_again(policy: Policy, tls: ssl.SSLContext, into: Path) -> None:
    say = _weights(answering("200 OK", {"Content-Length": "100", **TAG}, b"x" * 60))
    async with raw_server(tls, say) as server:
        assert (await unavailable(policy, server.url, into)).reason == "ConnectionFailed"
    assert not (into / WEIGHTS).exists()


async def test_what_a_body_holds_beyond_its_length_is_never_taken_for_the_next_answer(
    policy: Policy, tls: ssl.SSLContext, into: Path
) -> None:
    forged = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    async with raw_server(tls, answering("200 OK", {"Content-Length": "2"}, b"{}" + forged)) as server:
        await Fetcher(policy).fetch(server.url, into, {})
    assert (into / CONFIG).read_bytes() == (into / WEIGHTS).read_bytes() == b"{}"
    assert len(server.asked) == 2


async def test_a_body_whose_end_cannot_be_told_is_refused(policy: Policy, tls: ssl.SSLContext, into: Path) -> None:
    async def to_the_end(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n{}")
        await writer.drain()

    async with raw_server(tls, to_the_end) as server:
        assert (await refused(policy, server.url, into)).reason == "LengthUnknown"


async def test_a_compressed_body_is_refused_rather_than_unpacked(
    policy: Policy, tls: ssl.SSLContext, into: Path
) -> None:
    async with raw_server(tls, answering("200 OK", {"Content-Encoding": "gzip"}, b"\x1f\x8b")) as server:
        assert (await refused(policy, server.url, into)).reason == "EncodingUnsupported"
    assert {asked.headers["accept-encoding"] for asked in server.asked} == {"identity"}


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 100_000,
    ],
)
async def test_what_is_no_http_is_tried_again(policy: Policy, tls: ssl.SSLContext, into: Path, answer: bytes) -> None:
    async def babble(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    async with raw_server(tls, babble) as server:
        assert (await unavailable(policy, server.url, into)).reason == "ConnectionFailed"


async def test_a_part_in_answer_to_a_plain_request_is_not_taken_for_the_whole(
    policy: Policy, tls: ssl.SSLContext, into: Path
) -> None:
    say = answering("206 Partial", {"Content-Range": "bytes 0-1/10", **TAG}, b"{}")
    async with raw_server(tls, say) as server:
        assert (await unavailable(policy, server.url, into)).reason == "AnswerInvalid"


@pytest.mark.parametrize("changed", [False, True])
async def test_after_a_broken_connection_everything_is_fetched_again(
    policy: Policy, tls: ssl.SSLContext, artifact: Path, into: Path, fetched: Callable[[], bool], changed: bool
) -> None:
    async with file_server(tls, artifact) as server, line(server.port) as cut:
        cut.cut_after = SIZE * 2 // 3
        source = f"https://localhost:{cut.port}"
        await unavailable(policy, source, into)
        assert 0 < (into / f"{WEIGHTS}.part").stat().st_size < SIZE
        if changed:
            (artifact / WEIGHTS).write_bytes(b"y" * SIZE)
        await Fetcher(policy).fetch(source, into, {})
    assert fetched()


async def test_after_a_cancelled_fetch_everything_is_fetched_again(
    policy: Policy, tls: ssl.SSLContext, artifact: Path, into: Path, fetched: Callable[[], bool]
) -> None:
    content, arrived = (artifact / WEIGHTS).read_bytes(), asyncio.Event()

    async def stop_halfway(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n".encode())
        writer.write(content[: SIZE // 2])
        await writer.drain()
        arrived.set()
        await asyncio.sleep(60)

    async with raw_server(tls, _weights(stop_halfway)) as server:
        task = asyncio.create_task(Fetcher(policy).fetch(server.url, into, {}))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not (into / WEIGHTS).exists()
    async with file_server(tls, artifact) as server:
        await Fetcher(policy).fetch(server.url, into, {})
    assert fetched()


async def test_a_full_disk_is_tried_again_and_says_so(
    policy: Policy, tls: ssl.SSLContext, artifact: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(download, "_write", full)
    async with file_server(tls, artifact) as server:
        error = await unavailable(policy, server.url, into)
    assert isinstance(error, UnavailableError)
    assert error.reason == "NoSpace"
