"""A version's prompt → the messages in front of a conversation (pure)."""

from collections.abc import Iterator, Sequence
from typing import Any

from contract.prompt import Prompt

Message = dict[str, Any]


def prompted(messages: Sequence[Message], prompt: Prompt) -> list[Message]:
    """The prompt's instruction before the request's own, in one message, then the examples, then the conversation."""
    leading, rest = _split(messages)
    own = _text(leading["content"]) if leading else ""
    return [*_system(leading, prompt.system, own), *_examples(prompt), *rest]


def with_instruction(messages: Sequence[Message], text: str) -> list[Message]:
    """Adds a text to a leading system message, or adds one: many templates allow only one, and only first."""
    leading, rest = _split(messages)
    own = _text(leading["content"]) if leading else ""
    return [*_system(leading, own, text), *rest]


def length(prompt: Prompt | None) -> int:
    """The bytes that it adds to a conversation."""
    return sum(len(message["content"].encode()) for message in prompted([], prompt)) if prompt else 0


def _split(messages: Sequence[Message]) -> tuple[Message | None, Sequence[Message]]:
    if messages and messages[0]["role"] in ("system", "developer"):
        return messages[0], messages[1:]
    return None, messages


def _system(leading: Message | None, *texts: str) -> list[Message]:
    content = "\n\n".join(filter(None, texts))
    if leading:
        return [{**leading, "content": content}]
    return [{"role": "system", "content": content}] if content else []


def _examples(prompt: Prompt) -> Iterator[Message]:
    for example in prompt.examples:
        yield {"role": "user", "content": example.question}
        yield {"role": "assistant", "content": example.answer}


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "\n".join(part["text"] for part in content)
