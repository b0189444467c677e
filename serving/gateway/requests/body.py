"""A body as clients send it → the same body without what means nothing here (pure).

Clients send back whole answers of ours, with fields that they leave empty: null and empty optional fields mean absent.
Fields that OpenAI defines and that change no answer here are accepted and not passed on.
"""

from collections.abc import Mapping
from typing import Any

# https://platform.openai.com/docs/api-reference/chat/create. `prediction` makes answers faster there, not other.
INERT = frozenset(
    {"metadata", "prediction", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "service_tier",
     "store", "user"}
)  # fmt: skip
# What answers carry, ours and what clients add of their own (LiteLLM, OpenRouter), and conversations send back.
INERT_IN_MESSAGES = frozenset(
    {"abstained", "annotations", "created", "id", "parsed", "provider_specific_fields", "reasoning_details",
     "thinking_blocks"}
)  # fmt: skip
INERT_STREAM_OPTIONS = frozenset({"include_obfuscation"})
# Empty is a value for these: what is wrong with it is said by name.
_KEPT = frozenset({"model", "messages", "prompt", "content", "arguments"})


def cleaned(body: Mapping[str, Any]) -> dict[str, Any]:
    found = _without_empty(body, INERT)
    if found.get("modalities") == ["text"]:
        del found["modalities"]
    if isinstance(options := found.get("stream_options"), dict):
        found["stream_options"] = _without_empty(options, INERT_STREAM_OPTIONS)
    if isinstance(retrieval := found.get("retrieval"), dict):
        found["retrieval"] = _without_empty(retrieval, frozenset())
    if isinstance(messages := found.get("messages"), list):
        found["messages"] = [
            _without_empty(item, INERT_IN_MESSAGES) if isinstance(item, dict) else item for item in messages
        ]
    return found


def _without_empty(fields: Mapping[str, Any], inert: frozenset[str]) -> dict[str, Any]:
    return {
        name: value
        for name, value in fields.items()
        if value is not None and name not in inert and (name in _KEPT or value not in ("", [], {}))
    }
