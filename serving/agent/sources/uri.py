"""What a source URI names (pure). See `parse` for the schemes."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import urlsplit

from serving.agent.errors import RefusedError

MAX_LENGTH = 2048
MAX_SHOWN = 200

_CLAIM = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,220}[A-Za-z0-9]")
_HUB = re.compile(r"([A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})(?:@([A-Za-z0-9][\w./-]{0,254}))?", re.ASCII)
_REGISTRY = re.compile(
    r"([A-Za-z0-9.-]+(?::[0-9]{1,5})?)"
    r"/([a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)"
    r"(?::([A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?"
)
_USER = re.compile(r"//[^/?#]*@")


@dataclass(frozen=True)
class LocalSource:
    path: PurePosixPath  # absolute, without `.` or `..`


@dataclass(frozen=True)
class VolumeSource:
    claim: str
    path: PurePosixPath  # below the claim


@dataclass(frozen=True)
class WebSource:
    url: str  # of a directory, http or https


@dataclass(frozen=True)
class HubSource:
    repository: str
    revision: str


@dataclass(frozen=True)
class BucketSource:
    scheme: Literal["s3", "gs"]
    bucket: str
    prefix: str  # without slashes around it; may be empty

    def key(self, file: str) -> str:
        return f"{self.prefix}/{file}" if self.prefix else file


@dataclass(frozen=True)
class RegistrySource:
    host: str
    repository: str
    reference: str  # a tag, or sha256:…


RemoteSource = WebSource | HubSource | BucketSource | RegistrySource
Source = LocalSource | VolumeSource | RemoteSource


def parse(source: str) -> Source:
    """An absolute path, file://, pvc://, https://, http://, hf://, s3://, gs:// or oci://.

    Raises RefusedError for anything else.
    """
    if len(source) > MAX_LENGTH or not source.isprintable():
        raise _invalid(source, f"is longer than {MAX_LENGTH} characters or holds some that cannot be printed")
    scheme, separator, rest = source.partition("://")
    if not separator:
        return _local(source, source)
    if scheme not in _PARSERS:
        raise RefusedError("SourceUnsupported", f"{shown(source)} is not a source here; use one of {_SCHEMES}")
    return _PARSERS[scheme](source, rest)


def shown(source: str) -> str:
    """The source for people: escaped, of bounded length, without what may be a secret (user, query)."""
    public = _USER.sub("//", source[:MAX_LENGTH]).partition("?")[0]
    return public.encode("unicode_escape").decode("ascii")[:MAX_SHOWN]


def _local(source: str, path: str) -> LocalSource:
    if not path.startswith("/"):
        raise _invalid(source, f"is neither an absolute path nor a URI; use one of {_SCHEMES}")
    return LocalSource(PurePosixPath("/", _below(source, path)))


def _volume(source: str, rest: str) -> VolumeSource:
    claim, _, path = rest.partition("/")
    if not _CLAIM.fullmatch(claim) or ".." in claim:
        raise _invalid(source, "names no claim; write pvc://CLAIM/DIRECTORY")
    return VolumeSource(claim, PurePosixPath(_below(source, path)))


def _web(source: str, rest: str) -> WebSource:
    try:
        parts = urlsplit(source)
        usable = parts.hostname is not None and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise _invalid(source, "is no URL; write https://HOST/DIRECTORY")
    if parts.username is not None:
        raise _invalid(source, "holds a user; give HTTP_USERNAME and HTTP_PASSWORD as credentials instead")
    if not source.isascii() or " " in source:
        raise _invalid(source, "holds characters that no URL does; write them percent-encoded")
    return WebSource(source.partition("#")[0])


def _hub(source: str, rest: str) -> HubSource:
    match = _HUB.fullmatch(rest)
    if not match or ".." in rest or "//" in rest:
        raise _invalid(source, "names no repository; write hf://ORGANISATION/NAME or hf://ORGANISATION/NAME@REVISION")
    return HubSource(match[1], match[2] or "main")


def _s3(source: str, rest: str) -> BucketSource:
    return BucketSource("s3", *_bucket(source, rest))


def _gs(source: str, rest: str) -> BucketSource:
    return BucketSource("gs", *_bucket(source, rest))


def _bucket(source: str, rest: str) -> tuple[str, str]:
    bucket, _, prefix = rest.partition("/")
    if not _BUCKET.fullmatch(bucket) or ".." in bucket:
        raise _invalid(source, "names no bucket; write the bucket, a slash and the directory in it")
    return bucket, _below(source, prefix)


def _registry(source: str, rest: str) -> RegistrySource:
    match = _REGISTRY.fullmatch(rest)
    if not match or not (match[3] or match[4]):
        raise _invalid(source, "names no artifact; write oci://HOST/REPOSITORY:TAG or oci://HOST/REPOSITORY@sha256:…")
    return RegistrySource(match[1], match[2], match[4] or match[3])


def _below(source: str, path: str) -> str:
    """The path without slashes around it; nothing in it may lead elsewhere."""
    inner = path.strip("/")
    if inner and any(part in ("", ".", "..") for part in inner.split("/")):
        raise _invalid(source, "has an empty, '.' or '..' part in its path; write the path without")
    return inner


def _invalid(source: str, fact: str) -> RefusedError:
    return RefusedError("SourceInvalid", f"{shown(source)} {fact}")


_PARSERS: dict[str, Callable[[str, str], Source]] = {
    "file": _local,
    "pvc": _volume,
    "https": _web,
    "http": _web,
    "hf": _hub,
    "s3": _s3,
    "gs": _gs,
    "oci": _registry,
}
_SCHEMES = "an absolute path, file://, pvc://, https://, hf://, s3://, gs://, oci://"
