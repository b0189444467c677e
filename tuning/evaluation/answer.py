"""A variant's answer to a question."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """`error` is the API's reason where it refused; `cited` are titles of documents. `is_cut`: it ends at
    the limit of tokens."""

    text: str
    abstained: bool = False
    cited: frozenset[str] = frozenset()
    prompt_tokens: int = 0
    answer_tokens: int = 0
    seconds: float = 0.0
    error: str = ""
    is_cut: bool = False

    @classmethod
    def of(cls, completion: Mapping[str, Any], seconds: float) -> "Answer":
        """From the API's chat completion."""
        choice, usage = completion["choices"][0], completion.get("usage") or {}
        message = choice["message"]
        citations = (annotation["url_citation"]["title"] for annotation in message.get("annotations") or ())
        return cls(
            text=message.get("content") or message.get("refusal") or "",
            abstained=bool(message.get("abstained")),
            cited=frozenset(citations),
            prompt_tokens=usage.get("prompt_tokens", 0),
            answer_tokens=usage.get("completion_tokens", 0),
            seconds=seconds,
            is_cut=choice.get("finish_reason") == "length",
        )
