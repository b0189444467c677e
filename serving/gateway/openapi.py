"""Descriptions of the API, made from the schemas: OpenAPI 3.1 for programs, a short page for people (pure)."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from serving.gateway.documents_routes import ROUTES
from serving.gateway.requests.embeddings import EmbeddingRequest
from serving.gateway.schemas import ChatRequest, CompletionRequest

_BODIES: Mapping[str, tuple[str, type[ChatRequest] | type[CompletionRequest] | type[EmbeddingRequest]]] = {
    "/v1/chat/completions": ("Answers the last message of a conversation", ChatRequest),
    "/v1/completions": ("Continues a text", CompletionRequest),
    "/v1/embeddings": ("Makes vectors of texts", EmbeddingRequest),
}
POSTED = tuple(_BODIES)
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
    "400": "The body is invalid",
    "401": "The key is not accepted",
    "403": "The key has not the scope, or a limit of the tenant is reached",
    "404": "A name that this key does not have",
    "408": "The body took too long",
    "413": "The body is too large",
    "429": "A limit of the tenant is reached, with Retry-After",
    "503": "Temporarily unavailable, with Retry-After",
}


def described(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The OpenAPI document of FastAPI's routes and of the POST routes, which FastAPI does not serve."""
    kinds = [kind for _, kind in _BODIES.values()]
    _, schemas = models_json_schema(
        [(kind, "validation") for kind in kinds], ref_template="#/components/schemas/{model}"
    )
    document = get_openapi(title="Quiver", version="v1", description="An OpenAI-compatible API.", routes=routes)
    for path, operations in document["paths"].items():
        if path.startswith("/v1"):
            operations["get"]["responses"] |= _refused("401", "404")
            operations["get"]["responses"].pop("422", None)  # a name in a path may be any text
    paths = {path: {"post": _posted(summary, kind.__name__)} for path, (summary, kind) in _BODIES.items()}
    paths |= {path: _documents(path, methods) for path, methods in ROUTES.items()}
    components = document.setdefault("components", {})
    components["schemas"] = components.get("schemas", {}) | schemas["$defs"] | {"Error": _ERROR}
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    return document | {"paths": document["paths"] | paths, "security": [{"key": []}]}


def page(document: Mapping[str, Any]) -> str:
    rows = (
        f"<tr><td>{method.upper()}</td><td><code>{escape(path)}</code></td><td>{escape(operation['summary'])}</td></tr>"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Quiver</title><h1>Quiver</h1>"
        "<p>An OpenAI-compatible API at <code>/v1</code>; send <code>Authorization: Bearer KEY</code>.</p>"
        f"<table>{''.join(rows)}</table>"
        "<p>Every parameter is in <a href=/openapi.json>openapi.json</a>.</p></html>"
    )


def _refused(*statuses: str) -> dict[str, Any]:
    error = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
    return {status: {"description": _REFUSALS[status], **error} for status in statuses}


def _documents(path: str, methods: Mapping[str, str]) -> dict[str, Any]:
    """Their bodies are OpenAI's: https://developers.openai.com/api/reference."""
    names = re.findall(r"\{([a-z_]+)\}", path)
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    answer = {"200": {"description": "OpenAI's object"}}
    return {
        method.lower(): {"summary": summary, "parameters": parameters, "responses": answer | _refused(*_REFUSALS)}
        for method, summary in methods.items()
    }


def _posted(summary: str, name: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{name}"}
    answer = {"200": {"description": "The answer"}}
    return {
        "summary": summary,
        "responses": answer | _refused(*_REFUSALS),
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
    }
