"""Refusals of the management API.

ServiceError
├── ForbiddenError        403  the caller may not do this
├── NotFoundError         404  there is no such object, or it is another tenant's
├── ConflictError         409  the object has changed, or exists already
└── TooManyAttemptsError  429  too many failed sign-ins
"""

from service.errors import ServiceError


class ForbiddenError(ServiceError):
    status = 403
    code = "forbidden"


class NotFoundError(ServiceError):
    status = 404
    code = "not_found"


class ConflictError(ServiceError):
    status = 409
    code = "conflict"


class TooManyAttemptsError(ServiceError):
    status = 429
    code = "too_many_attempts"
