"""LiteLLM as a client: turns, a loop with two tools, and a context that is too long, which it knows by the words."""

import json
import sys
from typing import Any

import litellm

from tests.system.clients.facts import BASIC, PRO, TOOLS, run


def main(url: str, key: str) -> None:
    litellm.num_retries = 0

    def ask(model: str, messages: list[Any], **more: Any) -> Any:
        found = litellm.completion(
            f"openai/{model}", messages=messages, api_base=url, api_key=key, max_tokens=160, **more
        )
        return found.choices[0].message

    messages: list[Any] = [{"role": "user", "content": BASIC}]
    messages.append(ask("support", messages))
    messages.append({"role": "user", "content": PRO})
    assert "45 days" in ask("support", messages).content
    call = ask("quiver-demo", messages[:1], tools=TOOLS, tool_choice="required")
    results = [_result(one) for one in call.tool_calls]
    assert ask("quiver-demo", [messages[0], call, *results], tools=TOOLS).content
    try:
        ask("quiver-demo", [{"role": "user", "content": "hello there " * 800}])
    except litellm.ContextWindowExceededError:
        return
    raise AssertionError("a context that is too long was not told as one")


def _result(call: Any) -> dict[str, Any]:
    text = run(call.function.name, json.loads(call.function.arguments))
    return {"role": "tool", "tool_call_id": call.id, "content": text}


main(*sys.argv[1:])
