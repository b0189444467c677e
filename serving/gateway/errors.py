"""Errors sent to callers, in OpenAI's format: class, status, and what was wrong.

ApiError
├── InvalidRequest   400  the body
├── Unauthenticated  401  the key
├── Forbidden        403  a use that the key, or a limit of the tenant, does not allow
├── NotFound         404  a name unavailable to this caller, even if it exists for another
├── MethodNotAllowed 405  the method
├── Conflict         409  the object has another owner
├── TooSlow          408  the time of the body
├── TooLarge         413  the body's size
├── Throttled        429  the tenant's own limits, with Retry-After
└── Unavailable      503  temporary, on the platform's side, with Retry-After
"""

from collections.abc import Iterable, Mapping
from typing import Any

# Less than an engine takes to start (about a minute) and to load its adapters (a moment more).
RETRY_AFTER_S = 5


class ApiError(Exception):
    status = 500
    type = "server_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after_s: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.retry_after_s = retry_after_s
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        error = {"message": self.message, "type": self.type, "param": self.param, "code": self.code}
        return {"error": error}


class InvalidRequest(ApiError):
    status = 400
    type = "invalid_request_error"


class Unauthenticated(ApiError):
    status = 401
    type = "invalid_request_error"

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message, code=code, headers={"www-authenticate": "Bearer"})


class Forbidden(ApiError):
    status = 403
    type = "invalid_request_error"


class Conflict(ApiError):
    status = 409
    type = "invalid_request_error"


class NotFound(ApiError):
    status = 404
    type = "invalid_request_error"


class MethodNotAllowed(ApiError):
    """`allowed` are the path's methods."""

    status = 405
    type = "invalid_request_error"

    def __init__(self, path: str, allowed: Iterable[str]) -> None:
        methods = ", ".join(allowed)
        super().__init__(f"{path} answers {methods} only.", code="method_not_supported", headers={"allow": methods})


class TooSlow(ApiError):
    status = 408
    type = "invalid_request_error"


class TooLarge(ApiError):
    status = 413
    type = "invalid_request_error"


class Throttled(ApiError):
    status = 429
    type = "rate_limit_error"


class Unavailable(ApiError):
    status = 503
    type = "server_error"


MODEL_NOT_READY = "model_not_ready"


def unavailable(problem: str, code: str, retry_after_s: int = RETRY_AFTER_S) -> Unavailable:
    return Unavailable(f"{problem}; try again in {retry_after_s} s.", code=code, retry_after_s=retry_after_s)


def model_not_found(name: str) -> NotFound:
    """The same message for another tenant's name and for an unknown name."""
    return NotFound(
        f"The model `{name}` does not exist or you do not have access to it.", code="model_not_found", param="model"
    )


def model_refused(name: str) -> NotFound:
    """Not 503, because a retry cannot succeed."""
    return NotFound(
        f"The model `{name}` has no version that can answer: it was refused. Its team sees why on the Adapter.",
        code="model_refused", param="model",
    )  # fmt: skip


def knowledge_base_not_found(name: str) -> NotFound:
    """The same message for another tenant's name and for an unknown name."""
    return NotFound(f"The knowledge base `{name}` does not exist or you do not have access to it.",
                    code="knowledge_base_not_found", param="retrieval.knowledge_bases")  # fmt: skip
