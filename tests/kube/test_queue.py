"""Keys wait once, are worked at by one worker at a time, and none is forgotten."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kube import queue as queue_module
from kube.errors import KubeError
from kube.queue import Queue
from service.backoff import Backoff


async def test_others_get_their_turn_between_keys_whose_work_waits_for_nothing() -> None:
    queue: Queue[str] = Queue()
    done: list[str] = []

    async def work(key: str) -> None:
        done.append(key)

    for number in range(1000):
        queue.add(str(number))
    running = asyncio.create_task(queue.run(work, workers=4))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert 0 < len(done) < 100
    await queue.emptied()
    assert len(done) == 1000
    running.cancel()


class Work:
    """Remembers when each key was worked at, and that nobody else was at it."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.active: set[str] = set()
        self.errors: dict[str, list[Exception]] = {}
        self.again: dict[str, float] = {}

    async def __call__(self, key: str) -> float | None:
        assert key not in self.active
        self.active.add(key)
        await asyncio.sleep(0)
        self.active.discard(key)
        self.seen[key] += 1
        if self.errors.get(key):
            raise self.errors[key].pop()
        return self.again.pop(key, None)

    async def until(self, key: str, count: int) -> None:
        async with asyncio.timeout(5):
            while self.seen[key] < count:  # noqa: ASYNC110
                await asyncio.sleep(0.001)


@pytest.fixture
def work() -> Work:
    return Work()


async def _run(queue: Queue[str], work: Work, workers: int = 4) -> "asyncio.Task[None]":
    task = asyncio.create_task(queue.run(work, workers))
    await asyncio.sleep(0)
    return task


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=40))
async def test_whatever_is_added_is_worked_at_after_it_was_added(steps: list[tuple[str, bool]]) -> None:
    work = Work()
    queue: Queue[str] = Queue()
    task = await _run(queue, work)
    before: Counter[str] = Counter()
    for key, pause in steps:
        before[key] = work.seen[key]
        queue.add(key)
        if pause:
            await asyncio.sleep(0)
    for key, count in before.items():
        await work.until(key, count + 1)
    async with asyncio.timeout(5):
        while len(queue):  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert sum(work.seen.values()) <= len(steps)
    await _end(task)


async def test_a_key_that_waits_waits_once(work: Work) -> None:
    queue: Queue[str] = Queue()
    for _ in range(10):
        queue.add("a")
    assert len(queue) == 1
    task = await _run(queue, work)
    await work.until("a", 1)
    await asyncio.sleep(0.01)
    assert work.seen["a"] == 1
    await _end(task)


async def test_an_error_is_tried_again_and_one_key_does_not_hold_up_another(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "BACKOFF", Backoff(first_s=0.01, last_s=60.0))
    work.errors["bad"] = [KubeError(500, "ill"), KubeError(409, "Conflict"), ValueError("ours")]
    queue: Queue[str] = Queue()
    queue.add("bad")
    queue.add("good")
    task = await _run(queue, work, workers=1)
    await work.until("good", 1)
    await work.until("bad", 4)
    await _end(task)


async def test_what_will_be_refused_again_waits_for_long_or_for_a_change(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "BACKOFF", Backoff(first_s=0.001, last_s=60.0))
    work.errors["bad"] = [KubeError(422, "invalid")]
    queue: Queue[str] = Queue()
    queue.add("bad")
    task = await _run(queue, work)
    await work.until("bad", 1)
    await asyncio.sleep(0.05)
    assert work.seen["bad"] == 1
    queue.add("bad")
    await work.until("bad", 2)
    await _end(task)


async def test_the_earliest_time_counts_and_a_change_does_not_wait_for_it(work: Work) -> None:
    queue: Queue[str] = Queue()
    task = await _run(queue, work)
    queue.add_later("a", 3600)
    queue.add_later("a", 0.01)
    await work.until("a", 1)
    queue.add_later("a", 3600)
    queue.add("a")
    await work.until("a", 2)
    await _end(task)


async def test_a_time_that_was_asked_for_is_kept(work: Work) -> None:
    queue: Queue[str] = Queue()
    work.again["a"] = 0.01
    queue.add("a")
    task = await _run(queue, work)
    await work.until("a", 2)
    await _end(task)


async def test_a_server_that_names_a_time_is_given_it(work: Work) -> None:
    queue: Queue[str] = Queue()
    work.errors["busy"] = [KubeError(429, "busy", retry_after=0.3)]
    queue.add("busy")
    begun = asyncio.get_running_loop().time()
    task = await _run(queue, work)
    await work.until("busy", 2)
    assert asyncio.get_running_loop().time() - begun >= 0.29
    await _end(task)
