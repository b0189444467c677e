"""What can go wrong, each with a message that says what to do.

DriftError
├── SettingsError        the environment does not describe a service that can run
├── StateError           a tenant's file cannot be read, written or removed
└── RequestError         a request is refused; `status` is its HTTP status
"""


class DriftError(Exception):
    """The root of this package's errors."""


class SettingsError(DriftError):
    """The environment does not describe a service that can run."""


class StateError(DriftError):
    """A tenant's file cannot be read, written or removed."""


class RequestError(DriftError):
    """A request is refused with an HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
