"""CORS headers: which web origins may call the API (pure; https://fetch.spec.whatwg.org/#http-cors-protocol)."""

from collections.abc import Collection, Iterable

ANY = "*"
_EXPOSED = (
    "x-request-id, x-quiver-retrieval, retry-after, x-ratelimit-limit-requests, x-ratelimit-limit-tokens, "
    "x-ratelimit-remaining-requests, x-ratelimit-remaining-tokens, x-ratelimit-reset-requests, x-ratelimit-reset-tokens"
)
_KEPT_S = 600


def headers(origin: str, allowed: Collection[str]) -> dict[str, str]:
    """Empty for a forbidden origin. API keys are sent in a header, so CORS credentials (cookies) are not allowed."""
    if not origin or not (ANY in allowed or origin in allowed):
        return {}
    return {
        "access-control-allow-origin": origin,
        "access-control-expose-headers": _EXPOSED,
        "vary": "Origin",
    }


def preflight(asked_headers: str, methods: Iterable[str]) -> dict[str, str]:
    """The answer to a browser's preflight request."""
    return {
        "access-control-allow-methods": ", ".join(methods),
        "access-control-allow-headers": asked_headers or "authorization, content-type",
        "access-control-max-age": str(_KEPT_S),
    }
