"""Addresses of pages. Pure."""

import hashlib
import re
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit

from retrieval.errors import InvalidRequestError

LONGEST = 2_000  # characters
_ESCAPE = re.compile(r"(%[0-9A-Fa-f]{2})")
_SAFE = "/:@!$&'()*+,;=~-._?"
_TRACKERS = re.compile(r"utm_[a-z]+|fbclid|gclid|msclkid|mc_[ce]id|ref_src")
_PORTS = {"http": 80, "https": 443}
# The ending of a page's name by its content type: it decides on the parser.
_SUFFIXES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/csv": ".csv",
    "application/pdf": ".pdf",
    "application/rtf": ".rtf",
}
_LONGEST_NAME = 250


def normalized(address: str) -> str:
    """One spelling of an address: without fragment, trackers, dot segments and the default port. Escapes stay as they
    are: a server may read them in any encoding. Raises InvalidRequestError."""
    try:
        parts = urlsplit(address.strip())
        port, host = parts.port, _ascii_host(parts.hostname or "")
    except ValueError as error:  # UnicodeError is one
        raise _invalid(address) from error
    if parts.scheme not in _PORTS or not host or parts.username is not None:
        raise _invalid(address)
    authority = host if port in (None, _PORTS[parts.scheme]) else f"{host}:{port}"
    pairs = [pair for pair in parts.query.split("&") if not _TRACKERS.fullmatch(pair.partition("=")[0])]
    path = _without_dots(_escaped(parts.path))
    spelled = urlunsplit((parts.scheme, authority, path, _escaped("&".join(pairs)), ""))
    if len(spelled) > LONGEST:
        raise _invalid(address)
    return spelled


def _ascii_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host.encode("idna").decode().rstrip(".").lower()


def _escaped(text: str) -> str:
    """What may not stand in an address, escaped; present escapes in upper case."""
    parts = _ESCAPE.split(text)  # every second one is an escape
    return "".join(part.upper() if number % 2 else quote(part, safe=_SAFE) for number, part in enumerate(parts))


def _without_dots(path: str) -> str:
    kept: list[str] = []
    for segment in path.split("/")[1:]:
        plain = segment.replace("%2E", ".")
        if plain == "..":
            kept = kept[:-1]
        elif plain != ".":
            kept.append(segment)
    if path.endswith(("/.", "/..", "/%2E", "/%2E%2E", "/.%2E", "/%2E.")) and (not kept or kept[-1]):
        kept.append("")
    return "/" + "/".join(kept)


def is_below(root: str, page: str) -> bool:
    """True if a page has the host of `root`, and is below its directory."""
    ours, theirs = urlsplit(root), urlsplit(page)
    folder = ours.path[: ours.path.rindex("/") + 1]
    return _origin(ours) == _origin(theirs) and theirs.path.startswith(folder)


def origin(address: str) -> str:
    scheme, authority = _origin(urlsplit(address))
    return f"{scheme}://{authority}"


def is_home(address: str) -> bool:
    return urlsplit(address).path == "/"


def joined(base: str, link: str) -> str | None:
    """The normalized address of a link; None if it leads to no page."""
    try:
        return normalized(urljoin(base, link))
    except (InvalidRequestError, ValueError):
        return None


def page_name(address: str, content_type: str) -> str:
    """The name of a page's document, such as `example.com/help/prices.html`."""
    parts = urlsplit(address)
    suffix = _SUFFIXES.get(content_type, "")
    path = "".join(filter(str.isprintable, unquote(parts.path))).strip("/")
    name = f"{parts.hostname}/{path}" if path else f"{parts.hostname}/index"
    if suffix and not name.endswith(suffix) and not (suffix == ".html" and name.endswith(".htm")):
        name += suffix
    if parts.query or len(name) > _LONGEST_NAME:
        stem, _, end = name.rpartition(".")
        name = f"{stem[:_LONGEST_NAME]}-{hashlib.sha256(address.encode()).hexdigest()[:8]}.{end}"
    return name


def _origin(parts: SplitResult) -> tuple[str, str]:
    return parts.scheme, parts.netloc


def _invalid(address: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"{address[:80]!r} is no address of a page: write http:// or https://, a host and a path, "
        f"{LONGEST:,} characters at most, without a password."
    )
