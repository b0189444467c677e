"""Prompt: what is said to a model before each conversation. It is released with an adapter's content."""

import hashlib
from functools import cached_property
from typing import Annotated

from pydantic import Field, StringConstraints

from contract.value import Value

MOST_PROMPT = 16_000  # bytes as JSON: a status has up to seven prompts, and a base model a context of its own

PromptText = Annotated[str, StringConstraints(max_length=8_000)]
ExampleText = Annotated[str, StringConstraints(max_length=20_000)]


class Example(Value):
    """An example in the prompt."""

    question: ExampleText
    """What somebody asks."""
    answer: ExampleText
    """The answer to it."""


class Prompt(Value):
    """A prompt: the texts before each conversation, and the sentence of an abstention."""

    system: PromptText = ""
    """The instruction, in front of a request's own."""
    examples: Annotated[tuple[Example, ...], Field(max_length=16)] = ()
    """Questions and answers in front of each conversation."""
    grounding: PromptText = ""
    """The instruction in front of passages from documents, with the mark of a passage, [1]; empty for Quiver's own."""
    abstention: Annotated[str, StringConstraints(max_length=1_000)] = ""
    """The answer if the documents hold nothing on a question; empty for Quiver's own, in English or Korean."""

    @property
    def digest(self) -> str:
        """The SHA-256, in hexadecimal digits. Fields added later do not change it."""
        return hashlib.sha256(self.model_dump_json(exclude_defaults=True).encode()).hexdigest()

    @cached_property
    def size(self) -> int:
        """In bytes, as JSON."""
        return len(self.model_dump_json().encode())
