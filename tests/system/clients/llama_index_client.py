"""`llama-index`: turns, a stream, an agent with two tools."""

import asyncio
import sys
from typing import Literal

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike

from tests.system.clients.facts import BASIC, PRO


def main(url: str, key: str) -> None:
    common = {"api_base": url, "api_key": key, "is_chat_model": True, "max_retries": 0, "context_window": 1024}
    model = OpenAILike(model="support", **common)
    first = model.chat([ChatMessage(role="user", content=BASIC)])
    assert "30 days" in str(first.message.content)
    turns = [ChatMessage(role="user", content=BASIC), first.message, ChatMessage(role="user", content=PRO)]
    assert "45 days" in str(model.chat(turns).message.content)
    assert "30 days" in list(model.stream_chat(turns[:1]))[-1].message.content
    caller = OpenAILike(model="quiver-demo", is_function_calling_model=True, max_tokens=160, **common)
    tools = [FunctionTool.from_defaults(refund_window), FunctionTool.from_defaults(storage_limit)]
    answer = caller.chat_with_tools(tools, user_msg=BASIC, tool_required=True)
    calls = caller.get_tool_calls_from_response(answer)
    assert calls[0].tool_name in ("refund_window", "storage_limit")
    assert asyncio.run(_loop(FunctionAgent(tools=tools, llm=caller, streaming=False, initial_tool_choice="required")))
    assert CALLS


async def _loop(agent: FunctionAgent) -> str:
    return str(await agent.run(BASIC))


Product = Literal["Velmora Basic plan", "Velmora Pro plan"]
CALLS: list[str] = []


def refund_window(product: Product) -> str:
    """The refund window."""
    CALLS.append(product)
    return f"The refund window of the {product} is 44 days."


def storage_limit(product: Product) -> str:
    """The storage limit."""
    CALLS.append(product)
    return f"The storage limit of the {product} is 64 GB."


main(*sys.argv[1:])
