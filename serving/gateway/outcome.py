"""What became of a request (pure). A status alone does not say it: a stream that breaks off began with 200."""

from enum import StrEnum


class RequestOutcome(StrEnum):
    OK = "ok"
    ABSTAINED = "abstained"
    """The documents do not support an answer, and no engine was asked."""
    CLIENT_ERROR = "client_error"
    LIMITED = "limited"
    """Refused by a limit of the tenant."""
    ABORTED = "aborted"
    """The caller went away before the end of the answer."""
    ENGINE_FAILED = "engine_failed"
    """An engine failed, before its answer or within it."""
    UNAVAILABLE = "unavailable"
    """No engine could answer, or another part of the platform failed."""

    @property
    def is_failure(self) -> bool:
        """True if the platform failed the caller."""
        return self in (RequestOutcome.ENGINE_FAILED, RequestOutcome.UNAVAILABLE)


def outcome_of(status: int, *, engine_failed: bool, caller_left: bool, abstained: bool) -> RequestOutcome:
    """`status` is the response's, whose body may have failed after it."""
    if engine_failed:
        return RequestOutcome.ENGINE_FAILED
    if caller_left:
        return RequestOutcome.ABORTED
    if status == 429:
        return RequestOutcome.LIMITED
    if 400 <= status < 500:
        return RequestOutcome.CLIENT_ERROR
    if status >= 500:
        return RequestOutcome.UNAVAILABLE
    return RequestOutcome.ABSTAINED if abstained else RequestOutcome.OK
