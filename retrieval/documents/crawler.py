"""Looks at web sources when they are due, several at a time."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from retrieval.documents.web_library import WebLibrary
from retrieval.documents.web_sources import WebPage, WebSource
from retrieval.errors import RetrievalError
from retrieval.web.client import WebClient
from retrieval.web.robots import Robots
from retrieval.web.site import EarlierPage, Finding, Look, Site, looks

MOST_AT_ONCE = 8
MOST_OF_TENANT = 2
LONGEST_LOOK_SECONDS = 2 * 3600.0
_UNREAD = (Finding.FORBIDDEN, Finding.FAILED, Finding.LEFT_OUT)
POLL_SECONDS = 1.0
_SHOWN = 3  # pages in a message

log = logging.getLogger(__name__)


@dataclass
class Crawler:
    library: WebLibrary
    client: WebClient
    robots: Robots
    _running: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                try:
                    await self._turn()
                except RetrievalError as error:
                    log.warning("%s", error)
                await asyncio.sleep(POLL_SECONDS)
        finally:
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _turn(self) -> None:
        self._running = {key: task for key, task in self._running.items() if not task.done()}
        busy = Counter(task.get_name() for task in self._running.values())
        for source in await asyncio.to_thread(self.library.due):
            has_room = len(self._running) < MOST_AT_ONCE and busy[source.tenant] < MOST_OF_TENANT
            if has_room and source.id not in self._running:
                busy[source.tenant] += 1
                self._running[source.id] = asyncio.create_task(self._look_at(source), name=source.tenant)

    async def _look_at(self, source: WebSource) -> None:
        try:
            async with asyncio.timeout(LONGEST_LOOK_SECONDS):
                message = await self._look(source)
        except TimeoutError:
            message = f"a look took more than {LONGEST_LOOK_SECONDS / 3600:g} hours: follow a smaller part of the site."
        except RetrievalError as error:
            message = str(error)
        except Exception as error:  # a bug at one site must not stop the others
            log.exception("%s: looking at %s failed", source.tenant, source.url)
            message = f"looking at it failed ({type(error).__name__}): the log of the worker has the details."
        try:
            await asyncio.to_thread(self.library.finish_look, source, message)
        except RetrievalError as error:
            log.warning("%s", error)

    async def _look(self, source: WebSource) -> str:
        """One look. Returns why pages could not be read; empty if all were."""
        pages = await asyncio.to_thread(self.library.pages, source)
        earlier = {url: EarlierPage(page.etag, page.modified, page.links) for url, page in pages.items()}
        unread: list[Look] = []
        async for look in looks(Site(source.url, source.depth, source.most_pages), earlier, self.client, self.robots):
            if look.finding in _UNREAD or (look.message and look.address == source.url):
                unread.append(look)
            try:
                await self._record(source, look, pages.get(look.address))
            except RetrievalError as error:  # the other pages go on
                unread.append(replace(look, message=str(error)))
        return _message(unread)

    async def _record(self, source: WebSource, look: Look, page: WebPage | None) -> None:
        """An unreadable page keeps its earlier content."""
        if look.answer is not None:
            await asyncio.to_thread(self.library.put_page, source, look.answer, look.address, look.links)
        elif page is None:
            return
        elif look.finding is Finding.SAME:
            await asyncio.to_thread(self.library.keep_page, page)
        elif look.finding is Finding.MISSING:
            await asyncio.to_thread(self.library.miss_page, source, page, at_once=False)
        elif look.finding in (Finding.GONE, Finding.FORBIDDEN, Finding.LEFT_OUT):
            await asyncio.to_thread(self.library.miss_page, source, page, at_once=True)


def _message(unread: Sequence[Look]) -> str:
    if not unread:
        return ""
    shown = "; ".join(f"{look.address}: {look.message}" for look in unread[:_SHOWN])
    more = f"; and {len(unread) - _SHOWN} more" if len(unread) > _SHOWN else ""
    return f"{len(unread)} of its pages were not read: {shown}{more}"
