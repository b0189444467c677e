"""Tasks beside the requests."""

import asyncio
import logging

import pytest

from service.background import Background


async def test_a_task_that_ends_by_itself_is_logged_and_seen(caplog: pytest.LogCaptureFixture) -> None:
    background, begun = Background(), asyncio.Event()

    async def failing() -> None:
        begun.set()
        raise ValueError("broken")

    caplog.set_level(logging.ERROR)
    async with background.running("follow", failing()):
        await begun.wait()
        await asyncio.sleep(0)
        assert "'follow' has ended (ValueError('broken'))" in background.fault
    assert "'follow' has ended" in caplog.text


async def test_a_task_that_runs_is_ended_with_the_block_and_is_no_failure() -> None:
    background = Background()
    async with background.running("wait", asyncio.sleep(60)):
        assert not background.fault
    await asyncio.sleep(0)
    assert not background.fault
    assert [task for task in asyncio.all_tasks() if task.get_name() == "wait"] == []
