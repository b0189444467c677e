"""One admitted request, and everything known about it."""

from dataclasses import dataclass

from serving.gateway.accounts import RequestRecord
from serving.gateway.catalog import Base, Target
from serving.gateway.raw_request import RawRequest
from serving.gateway.schemas import AnyRequest, ChatRequest


@dataclass(frozen=True)
class RequestContext:
    record: RequestRecord
    raw: RawRequest
    request: AnyRequest
    target: Target
    base: Base

    def next_engine_id(self) -> str:
        """A new request id for the next attempt: an engine refuses the id of a request that it still runs."""
        self.record.attempts += 1
        return f"{self.raw.request_id}-{self.raw.unique_id[:8]}{self.record.attempts}"

    @property
    def legacy(self) -> bool:
        return isinstance(self.request, ChatRequest) and self.request.legacy
