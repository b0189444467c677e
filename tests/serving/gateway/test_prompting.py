"""A prompt stands in front of a conversation, in one system message."""

import pytest

from contract.prompt import Example, Prompt
from serving.gateway.prompting import length, prompted, with_instruction

PROMPT = Prompt(system="Answer in one word.", examples=(Example(question="2+2?", answer="Four"),))
USER = {"role": "user", "content": "q"}
SHOTS = [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "Four"}]


def test_instruction_and_examples_stand_before_the_conversation() -> None:
    assert prompted([USER], PROMPT) == [{"role": "system", "content": "Answer in one word."}, *SHOTS, USER]


@pytest.mark.parametrize("role", ["system", "developer"])
def test_the_callers_instruction_follows_in_the_same_message(role: str) -> None:
    messages = prompted([{"role": role, "content": "Be kind."}, USER], PROMPT)
    assert messages == [{"role": role, "content": "Answer in one word.\n\nBe kind."}, *SHOTS, USER]


def test_examples_alone_add_no_system_message() -> None:
    assert prompted([USER], Prompt(examples=PROMPT.examples)) == [*SHOTS, USER]


def test_an_instruction_in_parts_is_joined() -> None:
    parts = [{"type": "text", "text": "Be kind."}, {"type": "text", "text": "Be short."}]
    assert with_instruction([{"role": "system", "content": parts}], "p")[0]["content"] == "Be kind.\nBe short.\n\np"


def test_evidence_joins_the_callers_system_message_and_no_second_one_appears() -> None:
    messages = with_instruction([{"role": "system", "content": "Be kind."}, USER], "p")
    assert messages == [{"role": "system", "content": "Be kind.\n\np"}, USER]


def test_length_counts_what_is_added() -> None:
    assert length(None) == 0
    assert length(PROMPT) == len("Answer in one word.2+2?Four")
