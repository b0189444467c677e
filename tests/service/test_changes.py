"""A caller waits until something is another than it has seen."""

import asyncio
import threading

from service.changes import Changes


async def test_whoever_is_behind_is_answered_at_once() -> None:
    changes = Changes()
    assert await changes.wait_beyond(changes.number - 1, 60) == changes.number


async def test_a_change_from_another_thread_wakes_every_waiter() -> None:
    changes = Changes()
    before = changes.number
    waiters = [asyncio.create_task(changes.wait_beyond(before, 60)) for _ in range(3)]
    await asyncio.sleep(0)
    threading.Thread(target=changes.add).start()
    assert await asyncio.gather(*waiters) == [before + 1] * 3


async def test_without_a_change_the_wait_ends_with_its_time() -> None:
    changes = Changes()
    assert await changes.wait_beyond(changes.number, 0.01) == changes.number
