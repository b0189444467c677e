"""The caller's error for a refused body: the field as the caller wrote it, and what is wrong (pure)."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from serving.gateway.errors import InvalidRequest
from serving.gateway.requests.value import is_branch

Details = Mapping[str, Any]

_MESSAGE = re.compile(r"messages\[\d+\]")

_MESSAGES: Mapping[str, Callable[[str, Details], str]] = {
    "extra_forbidden": lambda field, _: f"Unsupported parameter: `{field}`",
    "missing": lambda field, _: f"Missing required parameter: `{field}`",
    "too_long": lambda field, ctx: f"`{field}` may hold at most {ctx['max_length']} items",
    "too_short": lambda field, ctx: f"`{field}` needs at least {ctx['min_length']} items",
    "string_too_long": lambda field, ctx: f"`{field}` may be at most {ctx['max_length']} characters long",
    "string_too_short": lambda field, ctx: f"`{field}` must be at least {ctx['min_length']} characters long",
    "string_type": lambda field, _: f"`{field}` must be a text",
    "string_pattern_mismatch": lambda field, ctx: f"`{field}` must match {ctx['pattern']}",
    "greater_than": lambda field, ctx: f"`{field}` must be above {ctx['gt']:g}",
    "greater_than_equal": lambda field, ctx: f"`{field}` must be at least {ctx['ge']:g}",
    "less_than": lambda field, ctx: f"`{field}` must be below {ctx['lt']:g}",
    "less_than_equal": lambda field, ctx: f"`{field}` must be at most {ctx['le']:g}",
    "finite_number": lambda field, _: f"`{field}` must be a finite number",
    "float_type": lambda field, _: f"`{field}` must be a number",
    "float_parsing": lambda field, _: f"`{field}` must be a number",
    "bool_type": lambda field, _: f"`{field}` must be true or false",
    "int_type": lambda field, _: f"`{field}` must be a whole number",
    "list_type": lambda field, _: f"`{field}` must be a list",
    "dict_type": lambda field, _: f"`{field}` must be an object",
    "model_type": lambda field, _: f"`{field}` must be an object",
    "literal_error": lambda field, ctx: f"`{field}` must be {ctx['expected']}",
    "union_tag_invalid": lambda field, ctx: (
        f"`{field}` is {_named(ctx['tag'])}, which is not supported here; use {_named(ctx['expected_tags'])}"
    ),
    "union_tag_not_found": lambda field, ctx: (
        f"`{field}` must be an object with a `{'role' if _MESSAGE.fullmatch(field) else 'type'}`"
    ),
    "value_error": lambda field, ctx: f"`{field}`: {ctx['error']}" if field else _capital(str(ctx["error"])),
}
_FIELD_IN_BACKTICKS = re.compile(r"`([a-z_]+)`")


def refusal(error: ValidationError) -> InvalidRequest:
    """Reports the first error only."""
    first = error.errors(include_url=False, include_input=False)[0]
    param = _written(first["loc"])
    if first["type"] == "union_tag_invalid":
        param = _tagged(param, first["ctx"])
    render = _MESSAGES.get(first["type"])
    text = render(param, first.get("ctx", {})) if render else f"`{param}`: {first['msg']}"
    if not param and (named := _FIELD_IN_BACKTICKS.search(text)):
        param = named[1]
    return InvalidRequest(f"{text}.", code=_code(first["type"]), param=param or None)


def _written(location: Sequence[int | str]) -> str:
    """The field's path as OpenAI's errors write it: messages[0].content."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif not is_branch(part) and part != "[key]":
            path += f".{part}" if path else part
    return path


def _tagged(param: str, context: Details) -> str:
    """The path of the discriminating field: `role` for messages, `type` for all else."""
    field = "role" if "<user>" in context["expected_tags"] else "type"
    return f"{param}.{field}" if param else field


def _named(tags: str) -> str:
    return tags.replace("<", "").replace(">", "").replace("'", "`") if "'" in tags else f"`{tags.strip('<>')}`"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _code(kind: str) -> str:
    return {"extra_forbidden": "unsupported_parameter", "missing": "missing_required_parameter"}.get(
        kind, "invalid_value"
    )
