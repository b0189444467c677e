"""The common form of errors on all services except the public API, which uses OpenAI's.

ServiceError
├── UnauthorizedError     401  no valid bearer token
├── ConflictError         409  the state is another than the caller assumes
├── InvalidRequestError   422  the body or a parameter is wrong
└── UnavailableError      503  the caller may try again
"""

from pydantic import BaseModel


class ErrorDetail(BaseModel):
    code: str
    message: str


class ErrorBody(BaseModel):
    error: ErrorDetail


class ServiceError(Exception):
    """A request is refused. The message is for the caller: it names the fact and the remedy."""

    status = 500
    code = "internal"


class UnauthorizedError(ServiceError):
    status = 401
    code = "unauthorized"


class ConflictError(ServiceError):
    status = 409
    code = "conflict"


class InvalidRequestError(ServiceError):
    status = 422
    code = "invalid_request"


class UnavailableError(ServiceError):
    status = 503
    code = "unavailable"
