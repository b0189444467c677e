"""A row of training data, and its faults."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["system", "user", "assistant"]

# Those of OpenAI's cookbook where it has one. https://cookbook.openai.com/examples/chat_finetuning_data_prep
Code = Literal[
    "bad_utf8", "invalid_json", "duplicate_key", "lone_surrogate", "line_too_long", "array_not_jsonl", "too_few",
    "data_type", "unknown_format", "two_formats", "preference_data", "text_only",
    "missing_messages_list", "message_missing_key", "unrecognized_role", "missing_content", "non_string_content",
    "example_missing_assistant_message", "assistant_not_last", "role_order", "tool_calls",
    "template_error", "special_token_in_text", "prompt_not_prefix", "prompt_fills_length",
]  # fmt: skip


@dataclass(frozen=True)
class Message:
    role: Role
    content: str


@dataclass(frozen=True)
class Row:
    """A conversation up to its last message of the user, and the answer to learn. `line` counts from 1."""

    line: int
    prompt: tuple[Message, ...]
    answer: str

    @property
    def question(self) -> str:
        """All turns of the user."""
        return "\n".join(message.content for message in self.prompt if message.role == "user")


@dataclass(frozen=True)
class Fault:
    """A mistake to mend before training. `line` counts from 1; 0 is the file."""

    line: int
    code: Code
    message: str
