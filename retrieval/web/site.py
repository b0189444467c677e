"""One look at a page or a site: new, changed and missing pages."""

from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from retrieval.web.address import is_below, is_home
from retrieval.web.client import Answer, PageError, WebClient
from retrieval.web.links import is_sitemap, links, locations, wants_no_index
from retrieval.web.robots import Robots

_TEXT = ("text/", "application/xhtml", "application/xml", "application/rss", "application/atom")
_PAGES = (
    "text/html", "application/xhtml+xml", "text/plain", "text/markdown", "text/csv", "application/pdf",
    "application/rtf",
)  # fmt: skip


class Finding(StrEnum):
    CONTENT = "content"
    SAME = "same"
    GONE = "gone"
    """The server says that it is no more: 410."""
    MISSING = "missing"
    """404, or a redirect to the home page: perhaps for a moment only."""
    FORBIDDEN = "forbidden"
    FAILED = "failed"


@dataclass(frozen=True)
class KnownPage:
    """A page of an earlier look."""

    etag: str = ""
    modified: str = ""
    links: tuple[str, ...] = ()


@dataclass(frozen=True)
class Look:
    """The finding at one address. `answer` is its content, if it is new; `message` is why it could not be read."""

    address: str
    finding: Finding
    answer: Answer | None = None
    links: tuple[str, ...] = ()
    message: str = ""


@dataclass(frozen=True)
class Site:
    """`depth` is the number of links to follow from `url`, 0 for the page alone. A sitemap's pages are one."""

    url: str
    depth: int
    most_pages: int


@dataclass
class _Walk:
    """Addresses to look at, with the links left to follow from each."""

    waiting: deque[tuple[str, int]]
    seen: set[str] = field(default_factory=set)

    def add(self, site: Site, addresses: tuple[str, ...], depth: int) -> None:
        for address in addresses:
            if address not in self.seen and is_below(site.url, address):
                self.seen.add(address)
                self.waiting.append((address, depth))


async def looks(site: Site, known: Mapping[str, KnownPage], client: WebClient, robots: Robots) -> AsyncIterator[Look]:
    """Looks at each page once: linked ones, and those of earlier looks. At most `most_pages` are there."""
    walk = _Walk(deque([(site.url, site.depth)]), {site.url})
    pages = 0
    later = list(known)
    while walk.waiting or later:
        if not walk.waiting:
            walk.add(site, tuple(later), 0)
            later = []
            continue
        address, depth = walk.waiting.popleft()
        look, more = await _look(address, known.get(address), client, robots)
        if more is not None:  # a sitemap
            walk.add(site, more, max(0, depth - 1))
            continue
        if depth > 0:
            walk.add(site, look.links, depth - 1)
        if look.finding in (Finding.CONTENT, Finding.SAME):
            pages += 1
            if pages > site.most_pages:
                return
        yield look


async def _look(
    address: str, before: KnownPage | None, client: WebClient, robots: Robots
) -> tuple[Look, tuple[str, ...] | None]:
    """The look, and the addresses of a sitemap, None for a page."""
    rules = await robots.rules(address)
    if not rules.allows(address):
        return Look(address, Finding.FORBIDDEN, message="robots.txt of its host does not allow it"), None
    try:
        answer = await client.get(address, _conditions(before), rules.delay_s)
    except PageError as error:
        return Look(address, Finding.FAILED, message=str(error)), None
    if answer.status == 304 and before is not None:
        return Look(address, Finding.SAME, links=before.links), None
    if answer.status != 200 or (answer.address != address and is_home(answer.address)):
        return _absent(address, answer), None
    text = answer.body.decode("utf-8", "replace") if answer.content_type.startswith(_TEXT) else ""
    if is_sitemap(text):
        return Look(address, Finding.SAME), tuple(locations(answer.address, text))
    if answer.content_type not in _PAGES:
        message = f"its type {answer.content_type[:60]!r} is not read"
        return Look(address, Finding.FAILED, message=message), None
    if wants_no_index(text):
        return Look(address, Finding.FORBIDDEN, message="it asks not to be indexed"), None
    return Look(address, Finding.CONTENT, answer, tuple(links(answer.address, text))), None


def _conditions(before: KnownPage | None) -> Mapping[str, str]:
    if before is None:
        return {}
    conditions = {"If-None-Match": before.etag, "If-Modified-Since": before.modified}
    return {name: value for name, value in conditions.items() if value}


def _absent(address: str, answer: Answer) -> Look:
    if answer.status == 410:
        return Look(address, Finding.GONE, message="its server says that it is gone (410)")
    if answer.status == 404 or answer.status == 200:
        return Look(address, Finding.MISSING, message="it is not there any more")
    return Look(address, Finding.FAILED, message=f"its server answered {answer.status}")
