"""Evidence → the system message that carries it (pure)."""

import re
from collections.abc import Sequence
from typing import Any

HEADER = (
    "Answer from these passages only and mark the one you used, like [1]. "
    "If none holds the answer, say that you do not know."
)
ABSTENTION = "I do not know: your documents hold nothing on this."


# How chat templates mark turns (`<|end|>`, `<|im_start|>`): a tokenizer takes them for real wherever they stand.
_TURN_MARKS = re.compile(r"<\|[^<>|]{1,64}\|>")


def grounding(passages: Sequence[str]) -> str:
    """Numbered from 1, one line each: a passage cannot pose as another one, nor end its turn with a `<|…|>` mark."""
    lines = (f"[{number}] {_one_line(text)}" for number, text in enumerate(passages, 1))
    return "\n".join((HEADER, "", *lines))


def _one_line(text: str) -> str:
    return " ".join(_TURN_MARKS.sub(" ", text).split())


def grounded(messages: Sequence[dict[str, Any]], passages: Sequence[str]) -> list[dict[str, Any]]:
    """The messages with the evidence in their one system message: many templates allow only one, and only first."""
    text = grounding(passages)
    if messages and messages[0]["role"] in ("system", "developer"):
        first = messages[0]
        return [{**first, "content": f"{_text(first['content'])}\n\n{text}"}, *messages[1:]]
    return [{"role": "system", "content": text}, *messages]


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "\n".join(part["text"] for part in content)
