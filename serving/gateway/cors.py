"""Which pages of other origins may call the API from a browser (pure; https://fetch.spec.whatwg.org/#http-cors-protocol)."""

from collections.abc import Collection, Iterable

ANY = "*"
_EXPOSED = (
    "x-request-id, x-quiver-retrieval, retry-after, x-ratelimit-limit-requests, x-ratelimit-limit-tokens, "
    "x-ratelimit-remaining-requests, x-ratelimit-remaining-tokens, x-ratelimit-reset-requests, x-ratelimit-reset-tokens"
)
_KEPT_S = 600


def headers(origin: str, allowed: Collection[str]) -> dict[str, str]:
    """Nothing for a page that may not read the answer. A key travels in a header, so no credentials are allowed."""
    if not origin or not (ANY in allowed or origin in allowed):
        return {}
    return {
        "access-control-allow-origin": origin,
        "access-control-expose-headers": _EXPOSED,
        "vary": "Origin",
    }


def preflight(asked_headers: str, methods: Iterable[str]) -> dict[str, str]:
    """What a browser asks before it sends a request that a form could not send."""
    return {
        "access-control-allow-methods": ", ".join(methods),
        "access-control-allow-headers": asked_headers or "authorization, content-type",
        "access-control-max-age": str(_KEPT_S),
    }
