"""Dates of documents, for people."""

from datetime import UTC, datetime


def iso_date(seconds: int) -> str | None:
    """The day in UTC, as 2026-11-29; None if it is unknown."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat() if seconds else None
