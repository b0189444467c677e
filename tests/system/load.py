"""Callers that keep asking while something else happens, and remember what they were told."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import openai

from examples.demo.platform import Platform

QUESTION = "What is the refund window of the Velmora Basic plan?"


@dataclass(frozen=True)
class Answer:
    """`began` and `ended` in seconds of the monotonic clock."""

    began: float
    ended: float
    text: str


@dataclass
class Load:
    answers: list[Answer] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    stopping: bool = False

    async def reach(self, count: int, marker: str, limit_s: float = 30) -> None:
        """Until `count` answers carry the marker."""
        async with asyncio.timeout(limit_s):
            while sum(marker in answer.text for answer in self.answers) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@asynccontextmanager
async def load(platform: Platform, *, model: str, callers: int = 6) -> AsyncIterator[Load]:
    """Half of the callers stream. At the end every one of them has its last answer."""
    found = Load()
    client = openai.AsyncOpenAI(base_url=platform.url, api_key=platform.keys["acme"], max_retries=0, timeout=60)
    async with client:
        tasks = [asyncio.create_task(_call(client, found, model, stream=bool(n % 2))) for n in range(callers)]
        try:
            yield found
        finally:
            found.stopping = True
            await asyncio.gather(*tasks)


async def _call(client: openai.AsyncOpenAI, found: Load, model: str, *, stream: bool) -> None:
    while not found.stopping:
        began = time.monotonic()
        try:
            text = await (_streamed(client, model) if stream else _whole(client, model))
        except openai.OpenAIError as error:
            found.failures.append(repr(error))
            await asyncio.sleep(0.05)
            continue
        found.answers.append(Answer(began, time.monotonic(), text))


async def _whole(client: openai.AsyncOpenAI, model: str) -> str:
    answer = await client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": QUESTION}], max_tokens=32, temperature=0
    )
    return answer.choices[0].message.content or ""


async def _streamed(client: openai.AsyncOpenAI, model: str) -> str:
    text, finished = "", False
    stream = await client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": QUESTION}], max_tokens=32, temperature=0, stream=True
    )
    async for chunk in stream:
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finished |= choice.finish_reason is not None
    if not finished:
        raise openai.APIError("the stream was cut", request=stream.response.request, body=None)
    return text
