"""Callers that keep asking while something else happens, and remember what they were told."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import openai

from examples.demo.platform import Platform

QUESTION = "What is the refund window of the Velmora Basic plan?"


# How a failure is told apart that came after the first token.
CUT = "cut: "


class _CutError(openai.APIError):
    """A stream that had begun did not come to its end."""


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

    async def reach(self, count: int, marker: str, limit_s: float = 60) -> None:
        """Until `count` answers carry the marker."""
        async with asyncio.timeout(limit_s):
            while sum(marker in answer.text for answer in self.answers) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@asynccontextmanager
async def load(platform: Platform, *, model: str, callers: int = 6, pause_s: float = 0) -> AsyncIterator[Load]:
    """Callers of tenant acme."""
    key = platform.keys["acme"]
    async with load_on(platform.url, key, model=model, callers=callers, pause_s=pause_s) as found:
        yield found


@asynccontextmanager
async def load_on(url: str, key: str, *, model: str, callers: int, pause_s: float = 0) -> AsyncIterator[Load]:
    """Half of the callers stream, and all pause between an answer and their next question. At the end every one of
    them has its last answer."""
    found = Load()
    async with openai.AsyncOpenAI(base_url=url, api_key=key, max_retries=0, timeout=60) as client:
        tasks = [
            asyncio.create_task(_call(client, found, model, stream=bool(n % 2), pause_s=pause_s))
            for n in range(callers)
        ]
        try:
            yield found
        finally:
            found.stopping = True
            await asyncio.gather(*tasks)


async def _call(client: openai.AsyncOpenAI, found: Load, model: str, *, stream: bool, pause_s: float) -> None:
    while not found.stopping:
        began = time.monotonic()
        try:
            text = await (_streamed(client, model) if stream else _whole(client, model))
        except openai.OpenAIError as error:
            found.failures.append(f"{CUT}{error!r}" if isinstance(error, _CutError) else repr(error))
            await asyncio.sleep(0.05)
            continue
        found.answers.append(Answer(began, time.monotonic(), text))
        await asyncio.sleep(pause_s)


async def _whole(client: openai.AsyncOpenAI, model: str) -> str:
    answer = await client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": QUESTION}], max_tokens=32, temperature=0
    )
    return answer.choices[0].message.content or ""


async def _streamed(client: openai.AsyncOpenAI, model: str) -> str:
    text, finished, began = "", False, False
    stream = await client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": QUESTION}], max_tokens=32, temperature=0, stream=True
    )
    try:
        async for chunk in stream:
            began = True
            for choice in chunk.choices:
                text += choice.delta.content or ""
                finished |= choice.finish_reason is not None
    except openai.APIError as error:
        if not began:
            raise
        raise _CutError(str(error), request=stream.response.request, body=None) from error
    if not finished:
        raise _CutError("it ended without a word", request=stream.response.request, body=None)
    return text
