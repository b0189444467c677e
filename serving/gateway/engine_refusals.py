"""An engine's 400 → the caller's error (pure). The engine's text is not passed on: it may contain internal names."""

import re
from typing import Any

import orjson

from serving.gateway.errors import InvalidRequest

_LIMIT = re.compile(r"(?:maximum context length is |max_model_len=)(\d+)")
_PROMPT = re.compile(r"(?:contains|resulted in) (?:at least )?(\d+) (input tokens|tokens|characters)")
_OUTPUT = re.compile(r"(?:requested |max_tokens=)(\d+)")
_FIELD = re.compile(r"[a-z_]{1,40}")


class ContextTooLong(InvalidRequest):
    """Worded as OpenAI words it, because clients parse the sentence."""


def refusal(body: bytes, *, field: str) -> InvalidRequest:
    """`field` is the request's field with its text: messages or prompt."""
    message, param = _said(body)
    if "maximum context length" in message or "max_model_len" in message:
        return _too_long(message, field)
    if "greedy sampling" in message:
        return InvalidRequest("`n` above 1 needs a `temperature` above 0: all answers would be the same.",
                              code="invalid_value", param="n")  # fmt: skip
    if param and _FIELD.fullmatch(param):
        return InvalidRequest(f"The model cannot take this value of `{param}`.", code="engine_refused", param=param)
    return InvalidRequest("The engine refused this combination of parameters.", code="engine_refused")


def _said(body: bytes) -> tuple[str, str | None]:
    try:
        error: Any = orjson.loads(body)["error"]
        return str(error["message"]), error.get("param")
    except (ValueError, KeyError, TypeError, AttributeError):
        return body.decode(errors="replace"), None


def _too_long(message: str, field: str) -> ContextTooLong:
    limit, prompt, output = _LIMIT.search(message), _PROMPT.search(message), _OUTPUT.search(message)
    parts = [f"your {field} resulted in {prompt[1]} {prompt[2].removeprefix('input ')} or more"] if prompt else []
    parts += [f"{output[1]} tokens were asked for in the completion"] if output else []
    return ContextTooLong(
        f"This model's maximum context length is {f'{limit[1]} tokens' if limit else 'smaller'}. "
        f"However, {' and '.join(parts) or f'{field} and completion are longer together'}. "
        f"Please reduce the length of the {field} or completion.",
        code="context_length_exceeded", param=field,
    )  # fmt: skip
