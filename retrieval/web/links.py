"""Links of a page, and pages of a sitemap. Pure.

Pages are hostile, and this runs in the worker's own process: expressions without nesting, over a bounded text.
"""

import html
import re
from collections.abc import Iterator

from retrieval.web.address import joined

MOST_LINKS = 2_000
_MOST_CHARACTERS = 5_000_000
_BASE = re.compile(r"<base\s[^>]{0,500}?href\s*=\s*[\"']?([^\"'\s>]{1,2000})", re.IGNORECASE)
_LINK = re.compile(
    r"<a\s[^>]{0,2000}?href\s*=\s*(?:\"([^\"]{1,2000})\"|'([^']{1,2000})'|([^\s\"'>]{1,2000}))", re.IGNORECASE
)
_UNFOLLOWED = re.compile(r"<meta\s[^>]{0,200}name\s*=\s*[\"']?robots[\"']?[^>]{0,200}nofollow", re.IGNORECASE)
_UNWANTED = re.compile(r"<meta\s[^>]{0,200}name\s*=\s*[\"']?robots[\"']?[^>]{0,200}noindex", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.{0,100000}?-->", re.DOTALL)
_LOCATION = re.compile(r"<loc>\s*([^<]{1,2000}?)\s*</loc>", re.IGNORECASE)
_SITEMAP = re.compile(r"<(urlset|sitemapindex)\b", re.IGNORECASE)


def links(page: str, text: str) -> list[str]:
    """The addresses of a page's links, each once, in its order."""
    shown = _COMMENT.sub("", text[:_MOST_CHARACTERS])
    if _UNFOLLOWED.search(shown):
        return []
    base = _BASE.search(shown)
    start = joined(page, html.unescape(base[1])) if base else page
    linked = (joined(start or page, html.unescape(next(filter(None, match)))) for match in _LINK.findall(shown))
    return list(dict.fromkeys(address for address in linked if address))[:MOST_LINKS]


def wants_no_index(text: str) -> bool:
    """True if the page asks not to be indexed."""
    return bool(_UNWANTED.search(text[:_MOST_CHARACTERS]))


def is_sitemap(text: str) -> bool:
    return bool(_SITEMAP.search(text[:2_000]))


def locations(sitemap: str, text: str) -> Iterator[str]:
    """The addresses in a sitemap, or in an index of sitemaps."""
    listed = (joined(sitemap, html.unescape(each)) for each in _LOCATION.findall(text[:_MOST_CHARACTERS]))
    return (address for address in listed if address)
