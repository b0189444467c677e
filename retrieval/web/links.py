"""Links of a page, and pages of a sitemap. Pure.

Pages are hostile, and this runs in the worker's own process: every step takes time in proportion to the text.
"""

import html
import re
from collections.abc import Iterator, Mapping
from itertools import islice

from retrieval.web.address import joined

MOST_LINKS = 1_000  # of a page
MOST_LOCATIONS = 5_000  # of a sitemap
_MOST_CHARACTERS = 5_000_000
_LONGEST_TAG = 3_000  # characters
_ATTRIBUTE = re.compile(
    r"""([a-zA-Z-]{1,40})\s{0,20}=\s{0,20}(?:"([^"]{0,2500})"|'([^']{0,2500})'|([^\s"'>]{1,2500}))"""
)
_LOCATION = re.compile(r"<loc>([^<]{1,2500})</loc>", re.IGNORECASE)
_SITEMAP = re.compile(r"<(urlset|sitemapindex)\b", re.IGNORECASE)


def links(page: str, text: str) -> list[str]:
    """The addresses of a page's links, each once, in its order."""
    shown = _without_comments(text[:_MOST_CHARACTERS])
    if "nofollow" in _robots(shown):
        return []
    base = next((tag.get("href", "") for tag in _tags(shown, "base")), "")
    start = (joined(page, base) if base else None) or page
    linked = (joined(start, tag["href"]) for tag in islice(_tags(shown, "a"), 2 * MOST_LINKS) if "href" in tag)
    return list(dict.fromkeys(address for address in linked if address))[:MOST_LINKS]


def wants_no_index(text: str, header: str) -> bool:
    """True if the page, or the header X-Robots-Tag, asks not to be indexed."""
    wishes = _robots(_without_comments(text[:_MOST_CHARACTERS])) | _wishes(header)
    return not wishes.isdisjoint({"noindex", "none"})


def is_sitemap(text: str) -> bool:
    return bool(_SITEMAP.search(text[:2_000]))


def locations(sitemap: str, text: str) -> Iterator[str]:
    """The addresses in a sitemap, or in an index of sitemaps."""
    matches = islice(_LOCATION.finditer(text[:_MOST_CHARACTERS]), MOST_LOCATIONS)
    listed = (joined(sitemap, html.unescape(match[1].strip())) for match in matches)
    return (address for address in listed if address)


def _without_comments(text: str) -> str:
    parts, start = [], 0
    while (begin := text.find("<!--", start)) >= 0:
        parts.append(text[start:begin])
        end = text.find("-->", begin + 4)
        if end < 0:
            return "".join(parts)
        start = end + 3
    return "".join([*parts, text[start:]])


def _tags(text: str, name: str) -> Iterator[Mapping[str, str]]:
    """The attributes of each tag of this name, by name in lower case."""
    opened, lower = f"<{name}", text.lower()
    start = lower.find(opened)
    while start >= 0:
        begin = start + len(opened)
        end = text.find(">", begin, begin + _LONGEST_TAG)
        if text[begin : begin + 1].isspace() and end >= 0:
            matches = _ATTRIBUTE.findall(text[begin:end])
            yield {key.lower(): html.unescape(next(filter(None, values), "")) for key, *values in matches}
        start = lower.find(opened, begin)


def _robots(text: str) -> frozenset[str]:
    """The wishes of a page's meta tags for robots."""
    metas = islice(_tags(text, "meta"), 200)
    return frozenset(
        wish for tag in metas if tag.get("name", "").lower() == "robots" for wish in _wishes(tag.get("content", ""))
    )


def _wishes(content: str) -> frozenset[str]:
    return frozenset(wish.strip().lower() for wish in content.split(","))
