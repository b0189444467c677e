"""The meaning of Milvus' refusals. Pure but for the read of a file."""

import ssl
from pathlib import Path

from retrieval.errors import NoSpaceError, RetrievalError, StoreError

# Servers' words for a missing field of a collection.
_OTHER_SCHEMA = ("unknown field", "anns_field", "field not exist", "not found in schema", "cannot find field")
_DISK_FULL = ("no space left", "disk is full", "disk quota", "file too large")


def check_authority(uri: str, ca: Path) -> None:
    """Raises StoreError."""
    if not uri.startswith("https://"):
        raise StoreError(f"Milvus at {uri} would be sent its password in plain text, though {ca} is set: use https.")
    try:
        ssl.create_default_context(cafile=str(ca))
    except (OSError, ssl.SSLError) as error:
        raise StoreError(
            f"{ca}, the authority of Milvus at {uri}, cannot be read ({error}): give a PEM file."
        ) from error


def translated(message: str, action: str, uri: str) -> RetrievalError:
    if any(sign in message.casefold() for sign in _DISK_FULL):
        return NoSpaceError(f"Milvus at {uri} has no disk left to {action} ({message}): free space; it is tried again.")
    if any(sign in message for sign in _OTHER_SCHEMA):
        return StoreError(
            f"Milvus at {uri} did not {action} ({message}): the collection was made by another release, or for another "
            "Milvus; the ingest worker makes it again."
        )
    remedy = "check that it runs, is reachable, and accepts the configured token, whose user needs the right"
    return StoreError(f"Milvus at {uri} did not {action} ({message}): {remedy}.")
