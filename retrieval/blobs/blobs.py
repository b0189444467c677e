"""An object store by its address."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import urlsplit

from retrieval.errors import BlobsError


class Blobs(Protocol):
    """Every method blocks, and raises BlobsError if the store fails, or NoSpaceError if it is full. A key has the form
    TENANT/NAME."""

    def put(self, key: str, content: BinaryIO) -> None:
        """Store the rest of a file; it is safe when this returns."""

    def read(self, key: str, most: int) -> bytes | None:
        """At most `most` bytes; None if there is no such key."""

    def pieces(self, key: str) -> Iterator[bytes] | None:
        """The whole content, piece by piece; None if there is no such key."""

    def keys(self, *, older_than: float) -> Iterator[str]:
        """Every key written before this time, in seconds since the epoch, with the remains of interrupted writes."""

    def delete(self, key: str) -> None:
        """Deletes a key, if it exists, and proves its absence."""


def opened(address: str) -> Blobs:
    """`address` is an absolute path, or s3://BUCKET/PREFIX. Raises BlobsError for another form."""
    from retrieval.blobs.bucket import Bucket  # late: the library of S3 takes a second to import
    from retrieval.blobs.directory import Directory

    parts = urlsplit(address)
    if parts.scheme == "s3" and parts.netloc:
        return Bucket(parts.netloc, parts.path.strip("/"))
    if Path(address).is_absolute():
        return Directory(Path(address))
    raise BlobsError(f"{address!r} is no object store: give an absolute path, or s3://BUCKET/PREFIX.")
