"""The gateway in the test's own loop, beside the running one, on the same objects and the same engine."""

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from benchmarks.load import QUESTION
from examples.demo.platform import Platform
from serving.gateway.settings import Settings
from tests.serving.gateway.running import Running, gateway

GROUNDED = {"retrieval": {"knowledge_bases": ["handbook"]}}
HELLO: Any = [{"role": "user", "content": QUESTION}]


@pytest.fixture
async def beside(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    for name, value in platform.part("serving.gateway").environ().items():
        if name.startswith("QUIVER_GATEWAY_"):
            monkeypatch.setenv(name, value)
    async with gateway(Settings()) as running:  # type: ignore[call-arg]  # the environment fills it
        yield running


async def test_nothing_on_the_way_of_a_request_blocks_the_loop(platform: Platform, beside: Running) -> None:
    """blockbuster makes a blocking call raise, which the caller would see as an error."""
    url, key = f"{beside.url}/v1", platform.keys["acme"]
    async with openai.AsyncOpenAI(base_url=url, api_key=key, max_retries=0) as client:
        assert [model.id async for model in client.models.list()]
        for extra in ({}, GROUNDED):
            whole = await client.chat.completions.create(
                model="support", messages=HELLO, max_tokens=16, temperature=0, extra_body=extra
            )
            stream = await client.chat.completions.create(
                model="support", messages=HELLO, max_tokens=16, temperature=0, extra_body=extra, stream=True
            )
            pieces = [choice.delta.content or "" async for chunk in stream for choice in chunk.choices]
            assert "".join(pieces) == whole.choices[0].message.content
        with pytest.raises(openai.NotFoundError):
            await client.chat.completions.create(model="nobody", messages=HELLO)
