"""Dates of documents, for people."""

from datetime import UTC, datetime


def iso_date(seconds: int) -> str | None:
    """The day in UTC, as 2026-11-29; None if it is unknown, or in no year of four digits."""
    try:
        return datetime.fromtimestamp(seconds, UTC).date().isoformat() if seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None
