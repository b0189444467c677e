import asyncio

from operators.clients.errors import PeerError
from operators.clients.latest_pusher import REPEAT_S, LatestPusher
from operators.clients.report import GRACE_S, Report


async def test_the_newest_value_is_said_until_it_is_taken_and_an_overtaken_one_never() -> None:
    said: list[str] = []
    taken = asyncio.Event()

    async def say(value: str) -> None:
        said.append(value)
        if len(said) == 1:
            pusher.set("b")
            pusher.set("c")
            raise PeerError
        taken.set()

    pusher = LatestPusher(say)
    pusher.set("a")
    task = asyncio.create_task(pusher.run())
    async with asyncio.timeout(5):
        await taken.wait()
    task.cancel()
    assert said == ["a", "c"]


async def test_a_value_that_is_not_taken_is_said_again_at_once() -> None:
    tries = 0
    taken = asyncio.Event()

    async def say(value: str) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise PeerError
        taken.set()

    pusher = LatestPusher(say)
    pusher.set("a")
    task = asyncio.create_task(pusher.run())
    async with asyncio.timeout(REPEAT_S - 1):
        await taken.wait()
    task.cancel()


async def test_what_was_taken_is_said_again_to_one_that_was_started_anew() -> None:
    said: asyncio.Queue[str] = asyncio.Queue()
    pusher = LatestPusher(said.put)
    pusher.set("a")
    task = asyncio.create_task(pusher.run())
    async with asyncio.timeout(2):
        assert await said.get() == "a"
        pusher.set("a")
        pusher.repeat()
        assert await said.get() == "a"
    task.cancel()
    assert said.empty()


def test_a_report_stands_for_the_grace_and_no_longer() -> None:
    now = 100.0
    report = Report[str](clock=lambda: now)
    assert report.current is None
    report.hear("ready")
    now += GRACE_S
    assert report.current == "ready"
    now += 0.1
    assert report.current is None
