"""A tenant's limits: token buckets for requests and tokens a minute, and concurrent requests (pure)."""

import math
from dataclasses import dataclass, replace

from contract.tenant import Limits

LIMIT_HEADER = "x-ratelimit-limit-requests"
_MINUTE_S = 60.0
_CHARACTERS_PER_TOKEN = 4


def estimated_tokens(characters: int) -> int:
    """For a text not yet counted by a tokenizer."""
    return characters // _CHARACTERS_PER_TOKEN


@dataclass(frozen=True)
class Bucket:
    """Fills evenly to `capacity` within a minute. May go below zero when more was used than was estimated."""

    capacity: float
    level: float
    at: float

    def filled(self, now: float) -> "Bucket":
        level = self.level + (now - self.at) * self.capacity / _MINUTE_S
        return Bucket(self.capacity, min(self.capacity, level), now)

    def take(self, amount: float) -> "Bucket":
        return Bucket(self.capacity, self.level - amount, self.at)

    def capped(self) -> "Bucket":
        return Bucket(self.capacity, min(self.level, self.capacity), self.at)

    def seconds_until(self, amount: float) -> float:
        return max(0.0, (min(amount, self.capacity) - self.level) * _MINUTE_S / self.capacity)


def full(capacity: int, now: float) -> Bucket:
    return Bucket(capacity=float(capacity), level=float(capacity), at=now)


@dataclass(frozen=True)
class Usage:
    """One tenant's usage at one moment."""

    limits: Limits
    requests: Bucket
    tokens: Bucket
    concurrent: int = 0


@dataclass(frozen=True)
class Refusal:
    """`limit` is the exceeded field of Limits."""

    limit: str
    retry_after_s: int


def fresh(limits: Limits, now: float) -> Usage:
    return Usage(limits, full(limits.requests_per_minute, now), full(limits.tokens_per_minute, now))


def relimited(usage: Usage, limits: Limits, now: float) -> Usage:
    """New limits apply at once; running requests stay counted."""
    return usage if usage.limits == limits else replace(fresh(limits, now), concurrent=usage.concurrent)


def admit(usage: Usage, *, now: float, counted: bool = True) -> Usage | Refusal:
    """Counts one request, before its body is read; an uncounted one only as concurrent."""
    requests = usage.requests.filled(now)
    cost = 1 if counted else 0
    if usage.concurrent >= usage.limits.concurrent_requests:
        return Refusal("concurrentRequests", 1)
    if requests.level < cost:
        return Refusal("requestsPerMinute", math.ceil(requests.seconds_until(1)))
    return Usage(usage.limits, requests.take(cost), usage.tokens, usage.concurrent + 1)


def reserve(usage: Usage, *, tokens: int, now: float) -> Usage | Refusal:
    """Reserves the estimated tokens of an admitted request.

    A request larger than a minute's allowance is admitted if the bucket is full; the level goes negative and refills.
    """
    room = usage.tokens.filled(now)
    if room.level < min(tokens, room.capacity):
        return Refusal("tokensPerMinute", math.ceil(room.seconds_until(tokens)))
    return Usage(usage.limits, usage.requests, room.take(tokens), usage.concurrent)


def settle(usage: Usage, *, reserved: int, used: int, now: float) -> Usage:
    """Replace the estimate by the real usage."""
    tokens = usage.tokens.filled(now).take(used - reserved)
    return Usage(usage.limits, usage.requests, tokens.capped(), usage.concurrent - 1)


def refund(usage: Usage, *, reserved: int, now: float, counted: bool = True) -> Usage:
    """Give a request back as if it had not been made: it failed by our fault."""
    settled = settle(usage, reserved=reserved, used=0, now=now)
    requests = settled.requests.filled(now).take(-1 if counted else 0)
    return replace(settled, requests=requests.capped())


def headers(usage: Usage, now: float) -> dict[str, str]:
    """OpenAI's `x-ratelimit-*` headers."""
    requests, tokens = usage.requests.filled(now), usage.tokens.filled(now)
    return {
        LIMIT_HEADER: str(int(requests.capacity)),
        "x-ratelimit-remaining-requests": str(max(0, int(requests.level))),
        "x-ratelimit-reset-requests": f"{requests.seconds_until(requests.capacity):.3f}s",
        "x-ratelimit-limit-tokens": str(int(tokens.capacity)),
        "x-ratelimit-remaining-tokens": str(max(0, int(tokens.level))),
        "x-ratelimit-reset-tokens": f"{tokens.seconds_until(tokens.capacity):.3f}s",
    }
