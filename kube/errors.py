"""Errors of an API server.

KubeError          any answer except success, or no answer
└── GoneError      the server no longer keeps the requested version: list again
"""


class KubeError(Exception):
    """`status` is 0 if no answer came. `retry_after` is in seconds, None if the server named no time."""

    def __init__(self, status: int, message: str, retry_after: float | None = None) -> None:
        super().__init__(f"{status or 'no answer'}: {message}")
        self.status = status
        self.message = message
        self.retry_after = retry_after

    @property
    def missing(self) -> bool:
        return self.status == 404

    @property
    def conflict(self) -> bool:
        return self.status == 409

    @property
    def terminal(self) -> bool:
        """The same request will be refused again until the object or the caller's permissions change."""
        return self.status in (400, 403, 405, 422)


class GoneError(KubeError):
    """The server no longer keeps this version (410)."""
