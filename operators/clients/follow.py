"""Follow a service's status by long polls."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from operators.clients.errors import PeerError
from operators.clients.latest_pusher import RETRY_S

S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)


class Ask(Protocol[S_co]):
    """Returns the status once it differs from version `since`, or unchanged after a while."""

    def __call__(self, *, since: int) -> Awaitable[S_co]: ...


class Pusher(Protocol):
    def repeat(self) -> None:
        """Sends the desired state again."""


async def follow(ask: Ask[S], hear: Callable[[S], int], *, pusher: Pusher, news: Callable[[], None]) -> None:
    """Runs until cancelled. `hear` takes a status and returns its version; `news` is called after every poll. After a
    failed poll the desired state is pushed again: a restarted service has lost it."""
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
        since = hear(status)
        news()
