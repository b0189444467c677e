"""An API server that is ill or gone, and operators that die: what was wanted comes to be, by one hand at a time."""

import asyncio
import random
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from itertools import groupby
from pathlib import Path

import pytest
from aiohttp import web

from kube.lease import DURATION_S
from tests.api_server.parts import Data, free_lease, get, is_ready, namespace, operator, reason, thing, wait_until
from tests.api_server.proxy import Proxy, proxy, refusal
from tests.api_server.server import ApiServer

FAILOVER_S = 60.0  # how long it takes is measured in benchmarks/operator


@pytest.fixture(autouse=True)
def platform(server: ApiServer) -> None:
    server.apply(namespace("quiver"), namespace("faults"))
    free_lease(server)


def _adapter(name: str) -> Data:
    """In a namespace without a tenant: the word on it is that, and there is nothing more to do."""
    return thing("Adapter", name, "faults", baseModel="base", source="s3://bucket/adapter")


def _is_told(server: ApiServer, name: str) -> bool:
    return reason(server, "adapter", name, "faults") == "NamespaceHasNoTenant"


async def _told(server: ApiServer, *names: str, limit_s: float = 60) -> None:
    for name in names:
        await asyncio.to_thread(wait_until, partial(_is_told, server, name), name, limit_s)


@asynccontextmanager
async def _operating(server: ApiServer, kubeconfig: Path, identity: str) -> AsyncIterator["subprocess.Popen[bytes]"]:
    """Off the loop, which the proxy needs."""
    with ExitStack() as stack:
        yield await asyncio.to_thread(stack.enter_context, operator(server, kubeconfig, IDENTITY=identity))


@pytest.mark.parametrize(
    ("status", "word", "headers"),
    [(409, "Conflict", {}), (429, "TooManyRequests", {"Retry-After": "1"}), (500, "InternalError", {})],
)
async def test_a_write_that_is_refused_is_made_again(
    server: ApiServer, status: int, word: str, headers: dict[str, str]
) -> None:
    refused: list[float] = []

    def fault(method: str, path: str) -> web.Response | None:
        if method != "PATCH" or f"ill-{status}" not in path or len(refused) == 3:
            return None
        refused.append(time.monotonic())
        return refusal(status, word, **headers)

    async with proxy(server) as between:
        between.fault = fault
        async with _operating(server, between.kubeconfig, f"ill-{status}"):
            server.apply(_adapter(f"ill-{status}"))
            await _told(server, f"ill-{status}")
    assert len(refused) == 3
    if headers:
        assert refused[2] - refused[0] >= 2 * int(headers["Retry-After"]) * 0.99


async def test_a_watch_that_breaks_off_or_is_too_old_loses_nothing(server: ApiServer) -> None:
    gone: list[str] = []

    def fault(method: str, path: str) -> web.Response | None:
        if "adapters?" in path and "watch=1" in path and len(gone) < 2:
            gone.append(path)
            return refusal(410, "Expired")
        return None

    async with proxy(server) as between:
        between.fault = fault
        async with _operating(server, between.kubeconfig, "watching"):
            server.apply(_adapter("after-410"))
            await _told(server, "after-410")
            await asyncio.to_thread(wait_until, lambda: len(_lists(between)) == 3, "a list after each 410")
            between.cut()
            server.apply(_adapter("after-cut"))
            await _told(server, "after-cut")


def _lists(between: Proxy) -> list[str]:
    return [line for line in between.asked if "adapters?limit" in line]


async def test_an_operator_that_cannot_renew_its_lease_ends_itself(server: ApiServer) -> None:
    """The server hangs: nothing comes back, and nothing is refused."""
    async with (
        proxy(server) as between,
        _operating(server, between.kubeconfig, "hanging") as started,
        _operating(server, server.user("operator"), "beside-hanging"),
    ):
        server.apply(_adapter("before-hanging"))
        await _told(server, "before-hanging")
        between.open.clear()
        hung = time.monotonic()
        code = await asyncio.to_thread(started.wait, 2 * DURATION_S)
        assert code == 1
        assert time.monotonic() - hung < DURATION_S, "another one may lead by now"
        assert _holder(server) == "hanging", "the other one leads already"
        server.apply(_adapter("beside-hanging"))
        await _told(server, "beside-hanging", limit_s=FAILOVER_S)
        assert _holder(server) == "beside-hanging"
    assert "was not renewed in time" in (server.folder / "operator-hanging.log").read_text()


def test_an_operator_that_dies_is_followed_by_the_other_and_never_are_there_two(server: ApiServer) -> None:
    """Each has a user of its own, so that the audit log tells whose hand it was."""
    users = ("operator", "other")
    with ExitStack() as stack:
        first, second = (stack.enter_context(operator(server, server.user(user), IDENTITY=user)) for user in users)
        server.apply(_adapter("first-hand"))
        wait_until(lambda: _is_told(server, "first-hand"), "the first one's word", DURATION_S + 30)
        leader, heir = (first, second) if _holder(server) == "operator" else (second, first)
        server.apply(*(_adapter(f"heir-{number}") for number in range(5)))
        leader.send_signal(signal.SIGKILL)
        server.apply(_adapter("second-hand"))
        wait_until(lambda: _is_told(server, "second-hand"), "the other one's word", FAILOVER_S)
        assert heir.poll() is None
        wait_until(lambda: all(_is_told(server, f"heir-{number}") for number in range(5)), "every word")
    writers = [hand for hand, _ in groupby(_writers(server, users))]
    assert len(writers) == 2, f"hands took turns: {writers}"


def _holder(server: ApiServer) -> str:
    return str((get(server, "lease", "quiver-operator", "quiver") or {})["spec"]["holderIdentity"])


def _writers(server: ApiServer, users: tuple[str, ...]) -> list[str]:
    """Whose writes to our objects the audit log has, in the order in which they came in."""
    writes = (event for event in server.events() if event["verb"] in ("patch", "create", "update", "delete"))
    ours = (event for event in writes if event.get("objectRef", {}).get("apiGroup") == "quiver.dev")
    mine = (event for event in ours if event["user"]["username"] in users)
    return [event["user"]["username"] for event in sorted(mine, key=lambda event: event["requestReceivedTimestamp"])]


def test_an_operator_that_is_killed_again_and_again_gets_there(server: ApiServer) -> None:
    rng = random.Random(0)
    names = [f"killed-{number}" for number in range(30)]
    for number in range(4):
        with operator(server, IDENTITY=f"killed-{number}"):
            server.apply(*(_adapter(name) for name in names[number * 7 : number * 7 + 7]))
            time.sleep(rng.uniform(0, 0.3))
        free_lease(server)
    server.apply(*(_adapter(name) for name in names))
    with operator(server, IDENTITY="last"):
        for name in names:
            wait_until(partial(_is_told, server, name), name)
    assert not any(is_ready(server, "adapter", name, "faults") for name in names)


def test_nothing_is_written_while_nothing_changes_also_not_by_an_operator_that_starts(server: ApiServer) -> None:
    server.apply(*(_adapter(f"still-{number}") for number in range(20)))
    server.apply(thing("Tenant", "still", namespace="still"), thing("BaseModel", "still", source="hf://org/model"))
    with operator(server, IDENTITY="before"):
        wait_until(lambda: is_ready(server, "tenant", "still"), "a tenant with its namespace")
        wait_until(lambda: get(server, "deployment", "engine-still", "quiver"), "engines")
        for number in range(20):
            wait_until(partial(_is_told, server, f"still-{number}"), "a word")
    free_lease(server)
    before = len(_all_writes(server))
    with operator(server, IDENTITY="after"):
        wait_until(lambda: _holder(server) == "after", "its turn")
        server.apply(_adapter("still-last"))
        wait_until(lambda: _is_told(server, "still-last"), "a word")
    written = [name for name in _all_writes(server)[before:] if name != "still-last"]
    server.kubectl("delete", "tenant,basemodel", "still", "--wait=false")
    assert written == []


def _all_writes(server: ApiServer) -> list[str]:
    """What operators wrote, of any kind, but for their turn to lead and events."""
    writes = (event for event in server.events() if event["verb"] in ("patch", "create", "update", "delete"))
    theirs = (event["objectRef"] for event in writes if event["user"]["username"] in ("operator", "other"))
    return [place.get("name", "") for place in theirs if place["resource"] not in ("leases", "events")]
