"""Common formats of training data → rows (pure).

OpenAI's chats (`messages`), `prompt` and `completion`, Alpaca (`instruction`, `input`, `output`) and ShareGPT
(`conversations`). Of a conversation the last answer is learned.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tuning.row import Code, Fault, Message, Role, Row

Object = Mapping[str, Any]

_ROLES: Mapping[str, Role] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_SHAREGPT: Mapping[str, Role] = {"system": "system", "human": "user", "user": "user", "gpt": "assistant",
                                 "assistant": "assistant"}  # fmt: skip
_HISTORY = "history is a list of pairs of a question and an answer"
_PREFERENCES = ("chosen", "rejected", "preferred_output", "non_preferred_output")


class InvalidRowError(Exception):
    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code: Code = code


def row_of(line: int, value: object) -> Row | Fault:
    try:
        messages = _messages(value)
        return Row(line, tuple(messages[:-1]), messages[-1].content)
    except InvalidRowError as error:
        return Fault(line, error.code, str(error))


def _messages(value: object) -> list[Message]:
    """A conversation up to its last answer. Raises InvalidRowError."""
    if not isinstance(value, dict):
        raise InvalidRowError("data_type", f"a row is an object, and this is {_kind(value)}")
    keys = [key for key in _FORMATS if key in value]
    if len(keys) > 1:
        raise InvalidRowError("two_formats", f"{' and '.join(keys)} are of two formats: keep one")
    if not keys:
        raise _unknown(value)
    return _checked(_FORMATS[keys[0]](value))


def _unknown(value: Object) -> InvalidRowError:
    if any(key in value for key in _PREFERENCES):
        return InvalidRowError(
            "preference_data", "pairs of better and worse answers are not learned from: keep the better"
        )
    if "text" in value:
        return InvalidRowError(
            "text_only", "a text without a question is not learned from: write prompt and completion"
        )
    return InvalidRowError(
        "unknown_format", f"none of {', '.join(_FORMATS)} is in it; it has {', '.join(value) or 'nothing'}"
    )


def _chat(value: Object) -> list[Message]:
    listed = value["messages"]
    if not isinstance(listed, list) or not listed:
        raise InvalidRowError("missing_messages_list", "messages is a list with at least a question and an answer")
    return [_chat_message(item, number) for number, item in enumerate(listed, 1)]


def _chat_message(item: object, number: int) -> Message:
    if not isinstance(item, dict) or "role" not in item:
        raise InvalidRowError("message_missing_key", f"message {number} is an object with role and content")
    if item.get("tool_calls") or item.get("function_call") or item["role"] in ("tool", "function"):
        raise InvalidRowError(
            "tool_calls", f"message {number} calls a tool or answers for one, which is not learned yet"
        )
    role = _ROLES.get(str(item["role"]))
    if role is None:
        raise InvalidRowError(
            "unrecognized_role", f"message {number} has the role {item['role']!r}: {', '.join(_ROLES)}"
        )
    return Message(role, _text(item.get("content"), f"the content of message {number}"))


def _pair(value: Object) -> list[Message]:
    """Both texts, or both lists of messages."""
    prompt, completion = value["prompt"], value.get("completion")
    if isinstance(prompt, list) and isinstance(completion, list):
        return _chat({"messages": [*prompt, *completion]})
    return [Message("user", _text(prompt, "prompt")), Message("assistant", _text(completion, "completion"))]


def _alpaca(value: Object) -> list[Message]:
    system = [Message("system", _text(value["system"], "system"))] if value.get("system") else []
    turns = [message for pair in _history(value) for message in _turn(pair)]
    question = _text(value["instruction"], "instruction")
    if value.get("input"):
        question += "\n" + _text(value["input"], "input")
    return [*system, *turns, Message("user", question), Message("assistant", _text(value.get("output"), "output"))]


def _history(value: Object) -> list[object]:
    pairs = value.get("history") or []
    if not isinstance(pairs, list):
        raise InvalidRowError("data_type", _HISTORY)
    return pairs


def _turn(pair: object) -> tuple[Message, Message]:
    if not isinstance(pair, list) or len(pair) != 2:
        raise InvalidRowError("data_type", _HISTORY)
    return Message("user", _text(pair[0], "history")), Message("assistant", _text(pair[1], "history"))


def _sharegpt(value: Object) -> list[Message]:
    listed = value["conversations"]
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise InvalidRowError("missing_messages_list", "conversations is a list of objects with from and value")
    system = [Message("system", _text(value["system"], "system"))] if value.get("system") else []
    return system + [_sharegpt_message(item, number) for number, item in enumerate(listed, 1)]


def _sharegpt_message(item: Object, number: int) -> Message:
    role = _SHAREGPT.get(str(item.get("from")))
    if role is None:
        raise InvalidRowError(
            "unrecognized_role", f"message {number} is from {item.get('from')!r}: {', '.join(_SHAREGPT)}"
        )
    return Message(role, _text(item.get("value"), f"the value of message {number}"))


_FORMATS: Mapping[str, Callable[[Object], list[Message]]] = {
    "messages": _chat,
    "prompt": _pair,
    "instruction": _alpaca,
    "conversations": _sharegpt,
}


def _checked(messages: Sequence[Message]) -> list[Message]:
    """The order for chat templates: a system message, then the user and the assistant in turn."""
    roles = [message.role for message in messages]
    if "assistant" not in roles:
        raise InvalidRowError("example_missing_assistant_message", "it has no answer")
    if roles[-1] != "assistant":
        raise InvalidRowError("assistant_not_last", "its last message is no answer: end with one of the assistant")
    turns = roles[1:] if roles[0] == "system" else roles
    if turns != ["user", "assistant"] * (len(turns) // 2):
        raise InvalidRowError(
            "role_order", f"user and assistant take turns after a system message, not {', '.join(roles)}"
        )
    return list(messages)


def _text(value: object, what: str) -> str:
    """Parts of text are joined. Raises InvalidRowError for another kind, and for an empty one."""
    if isinstance(value, list) and value and all(isinstance(p, dict) and isinstance(p.get("text"), str) for p in value):
        value = "".join(part["text"] for part in value)
    if value is None or value == "":
        raise InvalidRowError("missing_content", f"{what} is missing or empty")
    if not isinstance(value, str):
        raise InvalidRowError("non_string_content", f"{what} is a text, and this is {_kind(value)}")
    if not value.strip():
        raise InvalidRowError("missing_content", f"{what} is empty")
    return value


def _kind(value: object) -> str:
    names = {list: "a list", str: "a text", type(None): "null", bool: "true or false", dict: "an object"}
    return names.get(type(value), "a number")
