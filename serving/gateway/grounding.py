"""Passages → the instruction that carries them (pure)."""

import re
from collections.abc import Sequence

from contract.prompt import Prompt

HEADER = (
    "Answer from these passages only and mark the one you used, like [1]. "
    "If none holds the answer, say that you do not know."
)

# Turn marks in the chat templates of common model families: a tokenizer treats them as marks anywhere in a text.
_TURN_MARKS = re.compile(
    r"<\|[^<>|]{1,64}\|>"  # ChatML, Llama 3, Phi, GLM
    r"|<\uff5c[^<>\uff5c]{1,64}\uff5c>"  # DeepSeek
    r"|</?s>|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|<</?SYS>>"  # Llama 2, Mistral
    r"|<(?:bos|eos|start_of_turn|end_of_turn)>"  # Gemma
)


def instruction(prompt: Prompt | None) -> str:
    """What stands in front of passages."""
    return (prompt and prompt.grounding) or HEADER


def grounding(passages: Sequence[str], header: str = HEADER) -> str:
    """Numbers passages from 1, one line each: none can imitate another passage, or end the message's turn."""
    lines = (f"[{number}] {_one_line(text)}" for number, text in enumerate(passages, 1))
    return "\n".join((header, "", *lines))


def _one_line(text: str) -> str:
    return " ".join(_TURN_MARKS.sub(" ", text).split())
