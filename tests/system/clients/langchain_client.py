"""`langchain-openai`: turns, a loop with two tools, a schema."""

import sys
from typing import Any

import pydantic
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI

from tests.system.clients.facts import BASIC, PRO, TOOLS, run


class Answer(pydantic.BaseModel):
    answer: str = pydantic.Field(max_length=40)


def main(url: str, key: str) -> None:
    grounded = ChatOpenAI(model="support", base_url=url, api_key=key, max_retries=0)
    first = grounded.invoke([HumanMessage(BASIC)])
    assert "30 days" in first.content
    assert "45 days" in grounded.invoke([HumanMessage(BASIC), first, HumanMessage(PRO)]).content
    assert "30 days" in "".join(chunk.content for chunk in grounded.stream(BASIC))
    plain = ChatOpenAI(model="quiver-demo", base_url=url, api_key=key, max_retries=0, max_tokens=160)
    _loop(plain)
    assert plain.with_structured_output(Answer, method="json_schema").invoke(BASIC) is not None
    assert plain.with_structured_output(Answer, method="function_calling").invoke(BASIC) is not None


def _loop(model: Any) -> None:
    messages: list[Any] = [HumanMessage(BASIC)]
    call: AIMessage = model.bind_tools(TOOLS, tool_choice="any").invoke(messages)
    assert call.tool_calls
    messages.append(call)
    messages += [ToolMessage(run(one["name"], one["args"]), tool_call_id=one["id"]) for one in call.tool_calls]
    assert model.bind_tools(TOOLS).invoke(messages).content


main(*sys.argv[1:])
