"""`pydantic-ai`: an answer, a conversation, a schema, an agent with two tools."""

import sys
from typing import Any, Literal

import pydantic
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from tests.system.clients.facts import BASIC, PRO

Product = Literal["Velmora Basic plan", "Velmora Pro plan"]


class Answer(pydantic.BaseModel):
    answer: str = pydantic.Field(max_length=40)


def main(url: str, key: str) -> None:
    provider = OpenAIProvider(base_url=url, api_key=key)
    agent = Agent(OpenAIChatModel("support", provider=provider))
    first = agent.run_sync(BASIC)
    assert "30 days" in first.output
    assert "45 days" in agent.run_sync(PRO, message_history=first.all_messages()).output
    plain = OpenAIChatModel("quiver-demo", provider=provider)
    settings = {"max_tokens": 160}
    assert Agent(plain, output_type=NativeOutput(Answer), model_settings=settings).run_sync(BASIC).output
    assert Agent(plain, output_type=Answer, model_settings=settings).run_sync(BASIC).output  # by a call of a tool
    _loop(plain)


def _loop(model: OpenAIChatModel) -> None:
    """The first step must be a call, the second an answer."""
    calls: list[str] = []

    def settings(context: Any) -> Any:
        return {"max_tokens": 160, "tool_choice": "required" if context.run_step == 1 else "none"}

    def refund_window(product: Product) -> str:
        calls.append(product)
        return f"The refund window of the {product} is 44 days."

    def storage_limit(product: Product) -> str:
        calls.append(product)
        return f"The storage limit of the {product} is 64 GB."

    agent = Agent(model, tools=[refund_window, storage_limit], model_settings=settings)
    assert agent.run_sync(BASIC).output
    assert calls


main(*sys.argv[1:])
