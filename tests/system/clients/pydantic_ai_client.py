"""`pydantic-ai`: an answer, a conversation, a schema."""

import sys

import pydantic
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from tests.system.clients.facts import BASIC, PRO


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


main(*sys.argv[1:])
