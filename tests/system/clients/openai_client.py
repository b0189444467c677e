"""The `openai` package of the 2.x: turns, streams, a loop with two tools, a schema."""

import json
import sys
from typing import Any

import openai
import pydantic

from tests.system.clients.facts import BASIC, PRO, TOOLS, run


class Answer(pydantic.BaseModel):
    answer: str = pydantic.Field(max_length=40)


def main(url: str, key: str) -> None:
    client = openai.OpenAI(base_url=url, api_key=key, max_retries=0)
    messages: list[Any] = [{"role": "user", "content": BASIC}]
    messages.append(_ask(client, "support", messages))
    messages.append({"role": "user", "content": PRO})
    assert "45 days" in _ask(client, "support", messages).content
    _loop(client)
    parsed = client.chat.completions.parse(
        model="quiver-demo", messages=[{"role": "user", "content": BASIC}], response_format=Answer, max_tokens=120,
        extra_body={"retrieval": {"knowledge_bases": ["handbook"]}},
    )  # fmt: skip
    assert parsed.choices[0].message.parsed
    with client.chat.completions.stream(model="support", messages=[{"role": "user", "content": BASIC}]) as stream:
        assert "30 days" in (stream.get_final_completion().choices[0].message.content or "")


def _loop(client: openai.OpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": BASIC}]
    for choice in ("required", "auto"):
        message = _ask(client, "quiver-demo", messages, tools=TOOLS, tool_choice=choice)
        messages.append(message)
        for call in message.tool_calls or ():
            text = run(call.function.name, json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": text})
    assert messages[-2]["role"] == "tool"
    assert messages[-1].content


def _ask(client: openai.OpenAI, model: str, messages: list[Any], **more: Any) -> Any:
    answer = client.chat.completions.create(model=model, messages=messages, max_tokens=160, **more)
    return answer.choices[0].message


main(*sys.argv[1:])
