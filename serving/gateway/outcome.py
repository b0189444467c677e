"""What became of a request (pure). A status alone does not say it: a stream that breaks off began with 200."""

from dataclasses import dataclass
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
    NOT_READY = "not_ready"
    """No version of the tenant's adapter has answered yet."""
    ENGINE_FAILED = "engine_failed"
    """An engine failed, before its answer or within it."""
    UNAVAILABLE = "unavailable"
    """No engine could answer, or another part of the platform failed."""

    @property
    def is_failure(self) -> bool:
        """True if the platform failed the caller."""
        return self in (RequestOutcome.ENGINE_FAILED, RequestOutcome.UNAVAILABLE)


@dataclass(frozen=True)
class Facts:
    """`failed`: the platform failed, `no_engine`: without a failure of an engine."""

    failed: bool = False
    no_engine: bool = False
    not_ready: bool = False
    caller_left: bool = False
    abstained: bool = False


def outcome_of(status: int, facts: Facts) -> RequestOutcome:
    """`status` is the response's, whose body may have failed after it."""
    if facts.failed:
        return RequestOutcome.UNAVAILABLE if facts.no_engine else RequestOutcome.ENGINE_FAILED
    if facts.not_ready:
        return RequestOutcome.NOT_READY
    if facts.caller_left:
        return RequestOutcome.ABORTED
    if status == 429:
        return RequestOutcome.LIMITED
    if 400 <= status < 500:
        return RequestOutcome.CLIENT_ERROR
    if status >= 500:
        return RequestOutcome.UNAVAILABLE
    return RequestOutcome.ABSTAINED if facts.abstained else RequestOutcome.OK
