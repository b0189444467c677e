"""`python -m serving.gateway.requests.table`: docs/parameters.md, made from the schemas of requests."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from serving.gateway.requests.embeddings import EmbeddingRequest
from serving.gateway.requests.value import Value
from serving.gateway.schemas import ChatRequest, CompletionRequest

HEAD = """# Parameters of requests

Made by `make docs` from `serving.gateway.schemas`; edit there. Other parameters are refused with
`unsupported_parameter`. Null and empty optional fields mean absent.
"""
OURS = {
    "model": "read by the gateway: one of the tenant's names; the engine receives its own name for the version",
    "stream_options": "`include_usage` is read by the gateway; the engine is always asked for usage",
    "retrieval": "`knowledge_bases`, `top_k` (1 to 20), `grounded`, `min_relevance` (0 to 1), `match` (`any`, `words`, "
    "`phrase`), `explain`; not passed on",
    "tool_choice": "passed on; with `allowed_tools` the engine receives only those tools",
    "tools": "passed on, with `strict` where a call is forced",
    "chat_template_kwargs": "passed on where the base model's `chatTemplateKwargs` allows it; no lists, no objects",
    "response_format": "passed on once its schema compiles",
    "structured_outputs": "passed on once it compiles: one of `json`, `regex`, `choice`, `grammar`, `json_object`",
    "messages": "passed on; images and audio as data URLs where the base model's `media` has them; nothing is fetched",
    "modalities": 'accepted if `["text"]`, and not passed on',
    "input": "read by the gateway: texts of at most 254 tokens each, no token ids",
    "encoding_format": "read by the gateway",
    "dimensions": "read by the gateway: must be 384",
    "best_of": "accepted if 1, and not passed on",
}
_BOUNDS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "minItems": "at least {}",
    "maxItems": "at most {} items",
    "maxLength": "at most {} characters",
    "maxProperties": "at most {} entries",
    "enum": "one of {}",
    "const": "{}",
}


def text() -> str:
    parts = [
        HEAD,
        *_section("/v1/chat/completions", ChatRequest),
        *_section("/v1/completions", CompletionRequest),
        *_section("/v1/embeddings", EmbeddingRequest),
    ]
    inert = ", ".join(f"`{name}`" for name in sorted(ChatRequest.inert))
    parts.append(f"\n## Taken and not passed on\n\nThey change no answer here: {inert}.\n")
    parts.append("\n`functions` and `function_call`: old names of `tools` and `tool_choice`, then in answers too.\n")
    return "".join(parts)


def _section(path: str, kind: type[Value]) -> Iterator[str]:
    yield f"\n## {path}\n\n| Parameter | Bounds | What becomes of it |\n|---|---|---|\n"
    schema = kind.model_json_schema()
    for name, field in schema["properties"].items():
        if name in kind.inert:
            continue
        needed = " (needed)" if name in schema["required"] else ""
        yield f"| `{name}`{needed} | {_bounds(field)} | {OURS.get(name, 'passed on')} |\n"


def _bounds(field: dict[str, Any]) -> str:
    """The types and bounds that a field allows, without null."""
    forms = [form for form in field.get("anyOf", field.get("oneOf", [field])) if form.get("type") != "null"]
    forms = [inner for form in forms for inner in form.get("oneOf", [form])]
    return "; or ".join(filter(None, dict.fromkeys(map(_form, forms)))) or "-"


def _form(form: dict[str, Any]) -> str:
    facts = [_fact(phrase, form[key]) for key, phrase in _BOUNDS.items() if key in form]
    return ", ".join([form.get("type", "object"), *facts])


def _fact(phrase: str, value: Any) -> str:
    if isinstance(value, list):
        return phrase.format(", ".join(f"`{item}`" for item in value))
    return phrase.format(
        f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else value
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text())
