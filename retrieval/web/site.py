"""One look at a page or a site: new, changed and missing pages."""

from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from retrieval.web.address import is_below, is_home
from retrieval.web.client import Answer, PageError, WebClient
from retrieval.web.links import is_sitemap, links, locations, wants_no_index
from retrieval.web.robots import Robots

MOST_REDIRECTS = 5
# Requests of one look: pages that are not there, and sitemaps, count as well.
REQUESTS_PER_PAGE = 3
SPARE_REQUESTS = 20
_HTML = ("text/html", "application/xhtml+xml")
_TEXT = ("text/", "application/xhtml", "application/xml")
_PAGES = (*_HTML, "text/plain", "text/markdown", "text/csv", "application/pdf", "application/rtf")


class Finding(StrEnum):
    CONTENT = "content"
    SAME = "same"
    SITEMAP = "sitemap"
    GONE = "gone"
    """The server says that it is no more: 410."""
    MISSING = "missing"
    """404, or a redirect to another page: perhaps for a moment only."""
    FORBIDDEN = "forbidden"
    """By robots.txt, or by the page itself."""
    LEFT_OUT = "left out"
    """Over the most pages of the source."""
    FAILED = "failed"


@dataclass(frozen=True)
class EarlierPage:
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
    """Addresses to look at below `root`, with the links left to follow from each; and what is left of the limits."""

    root: str
    waiting: deque[tuple[str, int]]
    seen: set[str]
    pages: int
    requests: int

    @property
    def goes_on(self) -> bool:
        return bool(self.waiting) and self.pages > 0 and self.requests > 0

    def take(self, look: Look, depth: int) -> None:
        """Count a look, and add its links: redirects and pages of sitemaps are as deep as they are."""
        self.requests -= 1
        self.pages -= look.finding in (Finding.CONTENT, Finding.SAME)
        if look.finding is Finding.MISSING or depth > 0 or look.finding is Finding.SITEMAP:
            self.add(look.links, depth if look.finding is Finding.MISSING else max(0, depth - 1))

    def is_left_out(self, address: str) -> bool:
        return address not in self.seen or any(address == waiting for waiting, _ in self.waiting)

    def add(self, addresses: Iterable[str], depth: int) -> None:
        for address in addresses:
            if address not in self.seen and is_below(self.root, address):
                self.seen.add(address)
                self.waiting.append((address, depth))


async def looks(
    site: Site, earlier: Mapping[str, EarlierPage], client: WebClient, robots: Robots
) -> AsyncIterator[Look]:
    """Looks at each page once: linked ones, then those of earlier looks. Earlier pages over the limits are left out."""
    requests = REQUESTS_PER_PAGE * site.most_pages + SPARE_REQUESTS
    walk = _Walk(site.url, deque([(site.url, site.depth)]), {site.url}, site.most_pages, requests)
    while walk.goes_on:
        address, depth = walk.waiting.popleft()
        look = moved(await _look(address, earlier.get(address), client, robots), site)
        if address == site.url and look.answer is not None and look.answer.address != address:
            walk.root = look.answer.address  # the site has another address
        walk.take(look, depth)
        yield look
        if not walk.waiting:
            walk.add(earlier, 0)
    for address in earlier:
        if walk.is_left_out(address):
            yield Look(address, Finding.LEFT_OUT, message=f"the source has more than {site.most_pages:,} pages")


async def _look(address: str, before: EarlierPage | None, client: WebClient, robots: Robots) -> Look:
    try:
        answer, refusal = await _fetched(address, _conditions(before), client, robots)
    except PageError as error:
        return Look(address, Finding.FAILED, message=str(error))
    if answer is None:
        return Look(address, Finding.FORBIDDEN, message=refusal)
    if answer.status == 304 and before is not None:
        return Look(address, Finding.SAME, links=before.links)
    if answer.status != 200:
        return _absent(address, answer)
    return _read(address, answer)


def _read(address: str, answer: Answer) -> Look:
    text = answer.body.decode("utf-8", "replace") if answer.content_type.startswith(_TEXT) else ""
    if is_sitemap(text):
        return Look(address, Finding.SITEMAP, links=tuple(locations(answer.address, text)))
    if answer.headers.get("content-encoding", "identity") != "identity":
        return Look(address, Finding.FAILED, message="its server compresses it, though it was asked not to")
    if answer.content_type not in _PAGES:
        return Look(address, Finding.FAILED, message=f"its type {answer.content_type[:60]!r} is not read")
    page = text if answer.content_type in _HTML else ""
    if wants_no_index(page, answer.headers.get("x-robots-tag", "")):
        return Look(address, Finding.FORBIDDEN, message="it asks not to be indexed")
    return Look(address, Finding.CONTENT, answer, tuple(links(answer.address, page)))


async def _fetched(
    address: str, conditions: Mapping[str, str], client: WebClient, robots: Robots
) -> tuple[Answer | None, str]:
    """The answer after all redirects, each as its host allows; None and the reason if it does not. Raises PageError."""
    target = address
    for _ in range(MOST_REDIRECTS + 1):
        rules = await robots.rules(target)
        if rules.fault:
            raise PageError(rules.fault)
        if not rules.allows(target):
            return None, "robots.txt of its host does not allow it"
        answer = await client.get(target, conditions, rules.delay_s)
        if answer.redirect is None:
            return answer, ""
        target = answer.redirect
    raise PageError(f"it redirects more than {MOST_REDIRECTS} times")


def moved(look: Look, site: Site) -> Look:
    """A page that only redirects is missing, and its target is a page of its own; the site's own address may redirect,
    but not from a page to the home page."""
    answer = look.answer
    if answer is None or answer.address == look.address:
        return look
    if look.address == site.url and (is_home(look.address) or not is_home(answer.address)):
        return look
    message = f"it has moved to {answer.address}"
    return replace(look, finding=Finding.MISSING, answer=None, links=(answer.address,), message=message)


def _conditions(before: EarlierPage | None) -> Mapping[str, str]:
    if before is None:
        return {}
    conditions = {"If-None-Match": before.etag, "If-Modified-Since": before.modified}
    return {name: value for name, value in conditions.items() if value}


def _absent(address: str, answer: Answer) -> Look:
    if answer.status == 410:
        return Look(address, Finding.GONE, message="its server says that it is gone (410)")
    if answer.status == 404:
        return Look(address, Finding.MISSING, message="it is not there any more")
    return Look(address, Finding.FAILED, message=f"its server answered {answer.status}")
