"""Follow a service's status by long polls."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from operators.clients.errors import PeerError
from operators.clients.latest_pusher import RETRY_S, LatestPusher
from operators.clients.report import Report

S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)


class Ask(Protocol[S_co]):
    """Returns the status once it differs from version `since`, or unchanged after a while."""

    def __call__(self, *, since: int) -> Awaitable[S_co]: ...


async def follow(
    ask: Ask[S], version: Callable[[S], int], *, report: Report[S], pusher: LatestPusher[Any], news: Callable[[], None]
) -> None:
    """Runs until cancelled. After a failed poll the desired state is pushed again: a restarted service has lost it."""
    since = -1
    while True:
        try:
            status = await ask(since=since)
        except PeerError:
            since = -1
            pusher.repeat()
            news()
            await asyncio.sleep(RETRY_S)
            continue
        since = version(status)
        report.hear(status)
        news()
