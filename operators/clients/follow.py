"""Follow a service's status by long polls."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from operators.clients.errors import NeighbourError
from operators.clients.newest import RETRY_S, Newest
from operators.clients.report import Report

S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)


class Ask(Protocol[S_co]):
    """Answers with the status once it is another than the one seen, or after a while as it is."""

    def __call__(self, *, seen: int) -> Awaitable[S_co]: ...


async def follow(
    ask: Ask[S], version: Callable[[S], int], *, report: Report[S], newest: Newest[Any], news: Callable[[], None]
) -> None:
    """Until cancelled. A restarted service has lost its desired state, so it is pushed again."""
    seen = -1
    while True:
        try:
            status = await ask(seen=seen)
        except NeighbourError:
            seen = -1
            newest.again()
            news()
            await asyncio.sleep(RETRY_S)
            continue
        seen = version(status)
        report.hear(status)
        news()
