"""The API described for programs (OpenAPI 3.1) and, shorter, for people, both made from the schemas (pure)."""

from collections.abc import Mapping
from functools import cache
from html import escape
from typing import Any

import orjson
from pydantic.json_schema import models_json_schema

from serving.gateway.requests.embeddings import EmbeddingRequest
from serving.gateway.schemas import ChatRequest, CompletionRequest

_BODIES: Mapping[str, tuple[str, type[ChatRequest] | type[CompletionRequest] | type[EmbeddingRequest]]] = {
    "/v1/chat/completions": ("Answers the last message of a conversation", ChatRequest),
    "/v1/completions": ("Continues a text", CompletionRequest),
    "/v1/embeddings": ("Makes vectors of texts", EmbeddingRequest),
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
_REFUSALS = {
    "400": "The body",
    "401": "The key",
    "404": "A name that this key does not have",
    "413": "The body's size",
    "429": "A limit of the tenant, with Retry-After",
    "503": "For now, with Retry-After",
}
_NAME = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}


@cache
def document() -> dict[str, Any]:
    kinds = [kind for _, kind in _BODIES.values()]
    _, schemas = models_json_schema(
        [(kind, "validation") for kind in kinds], ref_template="#/components/schemas/{model}"
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Quiver", "version": "v1", "description": "An OpenAI-compatible API."},
        "paths": {
            "/v1/models": {"get": _operation("Lists the names that this key may write in `model`")},
            "/v1/models/{name}": {"get": _operation("Shows one of them") | {"parameters": [_NAME]}},
            **{path: {"post": _posted(summary, kind.__name__)} for path, (summary, kind) in _BODIES.items()},
        },
        "components": {
            "schemas": schemas["$defs"] | {"Error": _ERROR},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
    }


@cache
def text() -> bytes:
    return orjson.dumps(document())


def page() -> str:
    rows = (
        f"<tr><td>{method.upper()}</td><td><code>{escape(path)}</code></td><td>{escape(operation['summary'])}</td></tr>"
        for path, operations in document()["paths"].items()
        for method, operation in operations.items()
    )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Quiver</title><h1>Quiver</h1>"
        "<p>An OpenAI-compatible API at <code>/v1</code>; send <code>Authorization: Bearer KEY</code>.</p>"
        f"<table>{''.join(rows)}</table>"
        "<p>Every parameter is in <a href=/openapi.json>openapi.json</a>.</p></html>"
    )


def _operation(summary: str) -> dict[str, Any]:
    error = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
    refusals = {status: {"description": text, **error} for status, text in _REFUSALS.items()}
    return {"summary": summary, "responses": {"200": {"description": "The answer"}, **refusals}}


def _posted(summary: str, name: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{name}"}
    return _operation(summary) | {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}
    }
