"""Errors of an API server.

KubeError          any answer but success, or none
└── GoneError      what was asked of is no longer kept: list anew
"""


class KubeError(Exception):
    """`status` is 0 where no answer came. `retry_after` is in seconds, where the server named a time."""

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
        """The same request will be refused again: only another object or another right helps."""
        return self.status in (400, 403, 405, 422)


class GoneError(KubeError):
    """The server no longer keeps this version (410)."""
