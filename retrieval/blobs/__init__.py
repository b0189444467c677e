"""The bytes of uploaded files: in a directory, or in a bucket of an S3-compatible store."""

from retrieval.blobs.blobs import Blobs, opened

__all__ = ["Blobs", "opened"]
