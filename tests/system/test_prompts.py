"""A prompt is released as an adapter's content is: it flips, is tried beside the old one, and rolls back."""

import asyncio
import subprocess
import time
from functools import partial
from typing import Any

import openai

from benchmarks.load import QUESTION, load
from examples.demo.platform import QUIVER, Platform
from tests.system.desk import FIRST, NAME, SECOND, desk, status_of, wait_until_released

CANARY = {"canary": {"steps": [{"weight": 40, "seconds": 0}], "checks": {"minRequests": 15}}}


def _run(*words: str) -> str:
    return subprocess.run([QUIVER, *words], capture_output=True, text=True, check=True, timeout=120).stdout


async def test_no_request_that_begins_after_a_rollback_has_the_new_prompt_and_none_is_lost(platform: Platform) -> None:
    with desk(platform) as edit:
        edit(FIRST)
        await asyncio.to_thread(wait_until_released, platform)
        async with load(platform, model=NAME, callers=3) as answered:
            await answered.reach(5, FIRST)
            edit(SECOND)
            await answered.reach(10, SECOND)
            shown = await asyncio.to_thread(_run, "rollback", str(platform.root), f"acme/{NAME}")
            through = time.monotonic()
            assert "RolledBack" in shown
            await answered.reach(sum(FIRST in answer.text for answer in answered.answers) + 20, FIRST)
            assert max(a.began for a in answered.answers if SECOND in a.text) <= through
        assert answered.failures == []


async def test_a_prompt_is_tried_beside_the_old_one_and_takes_over(platform: Platform, acme: openai.OpenAI) -> None:
    with desk(platform) as edit:
        edit(FIRST)
        await asyncio.to_thread(wait_until_released, platform)
        async with load(platform, model=NAME, callers=3) as answered:
            await answered.reach(5, FIRST)
            edit(SECOND, rollout=CANARY)
            await asyncio.to_thread(platform.wait_until, partial(_is_through, platform), what="its release")
            await answered.reach(5, SECOND)
        assert answered.failures == []
        status = status_of(platform)
        new, old = (version["digest"][:12] for version in (status["active"], *status["previous"]))
        assert SECOND in _ask(acme, f"{NAME}@{new}", QUESTION)
        assert FIRST in _ask(acme, f"{NAME}@{old}", QUESTION)


async def test_an_abstention_is_in_the_tenants_words(platform: Platform, acme: openai.OpenAI) -> None:
    with desk(platform) as edit:
        edit(FIRST, knowledgeBases=["handbook"])
        await asyncio.to_thread(wait_until_released, platform)
        answer = _ask(acme, NAME, "How many moons does Jupiter have?")
        assert answer == f"Ask the desk within {FIRST}."


def _is_through(platform: Platform) -> bool:
    return [entry["event"] for entry in status_of(platform)["history"][:2]] == ["Released", "CanaryStarted"]


def _ask(client: openai.OpenAI, model: str, question: str) -> str:
    messages: Any = [{"role": "user", "content": question}]
    answer = client.chat.completions.create(model=model, messages=messages, max_tokens=24, temperature=0)
    return answer.choices[0].message.content or ""
