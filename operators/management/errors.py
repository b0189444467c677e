"""Refusals of the management API, beside those of every service.

ServiceError
├── ForbiddenError        403  the caller may not do this
├── NotFoundError         404  there is no such object, or it is another tenant's
└── TooManyAttemptsError  429  too many failed sign-ins
"""

from service.errors import ServiceError


class ForbiddenError(ServiceError):
    status = 403
    code = "forbidden"


class NotFoundError(ServiceError):
    status = 404
    code = "not_found"


class TooManyAttemptsError(ServiceError):
    status = 429
    code = "too_many_attempts"
