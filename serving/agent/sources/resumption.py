"""How to continue a part: the question to ask, and the meaning of the answer (pure; RFC 9110, sections 13 and 14)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from serving.agent.sources.part import Received

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.ASCII)
_STRONG_TAG = re.compile(r'"[\x21\x23-\x7e]{1,1024}"')
_LENGTH = re.compile(r"\d{1,18}", re.ASCII)


@dataclass(frozen=True)
class Body:
    """The answer's body starts at `start`, and belongs to a content of `total` bytes with the tag `tag`."""

    start: int
    total: int | None
    tag: str


@dataclass(frozen=True)
class Unchanged:
    """All of the content is held already."""


@dataclass(frozen=True)
class Restart:
    """The answer does not fit the held bytes: ask again for everything."""


def question(received: Received, digest: str | None) -> dict[str, str]:
    """Headers asking for the rest. Content named by its digest cannot have changed."""
    if not received.have:
        return {}
    if received.complete and digest is None:
        return {"If-None-Match": received.tag}
    rest = {"Range": f"bytes={received.have}-"}
    return rest if digest else rest | {"If-Range": received.tag}


def meaning(
    received: Received, digest: str | None, status: int, headers: Mapping[str, str]
) -> Body | Unchanged | Restart:
    """The meaning of an answer 200, 206, 304 or 416. Servers ignoring conditions are detected by their tags."""
    tag = digest or _strong_tag(headers)
    if status == 200:
        total = _length(headers)
        same = bool(tag) and tag == received.tag and total == received.total
        return Unchanged() if same and received.complete else Body(0, total, tag)
    if status == 304 and received.complete:
        return Unchanged()
    match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    if status != 206 or not match or tag != received.tag or not tag:
        return Restart()
    start, last, total = (int(number) for number in match.groups())
    fits = start == received.have and last == total - 1 and received.total in (None, total)
    return Body(start, total, tag) if fits else Restart()


def _strong_tag(headers: Mapping[str, str]) -> str:
    """A weak tag (W/"…") may stay the same while bytes change."""
    tag = headers.get("ETag", "")
    return tag if _STRONG_TAG.fullmatch(tag) else ""


def _length(headers: Mapping[str, str]) -> int | None:
    length = headers.get("Content-Length", "")
    return int(length) if _LENGTH.fullmatch(length) else None
