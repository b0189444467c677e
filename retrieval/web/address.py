"""Addresses of pages. Pure."""

import hashlib
import re
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

from retrieval.errors import InvalidRequestError

LONGEST = 2_000  # characters
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
    """One spelling of an address: without fragment, trackers and the default port. Raises InvalidRequestError."""
    try:
        parts = urlsplit(address.strip())
        port = parts.port
    except ValueError as error:
        raise _invalid(address) from error
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None or len(address) > LONGEST:
        raise _invalid(address)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host if port in (None, _PORTS[parts.scheme]) else f"{host}:{port}"
    path = quote(unquote(parts.path), safe="/:@!$&'()*+,;=~-._") or "/"
    pairs = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKERS.match(key)]
    return urlunsplit((parts.scheme, place, path, urlencode(pairs), ""))


def is_below(root: str, page: str) -> bool:
    """True if a page has the host of `root`, and is below its directory."""
    ours, theirs = urlsplit(root), urlsplit(page)
    folder = ours.path[: ours.path.rindex("/") + 1]
    return _origin(ours) == _origin(theirs) and theirs.path.startswith(folder)


def origin(address: str) -> str:
    scheme, place = _origin(urlsplit(address))
    return f"{scheme}://{place}"


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
    path = unquote(parts.path).strip("/")
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
