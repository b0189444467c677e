"""How much of a tenant's documents changed in a week, where their dates say so."""

from datetime import UTC, datetime, timedelta

from operators.cli.advise import Documents, documents_of

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def _files(*days: float | None) -> list[dict[str, float]]:
    """Files that were made so many days ago; None for those of a folder."""
    return [{"created_at": (NOW - timedelta(days=each)).timestamp() if each is not None else 0} for each in days]


def test_the_share_that_is_younger_than_a_week() -> None:
    assert documents_of(_files(1, 6, 8, 30), NOW) == Documents(4, 0.5)
    assert documents_of(_files(30, None, None), NOW) == Documents(3, 0.0)  # those without a date do not count


def test_no_share_is_made_up() -> None:
    assert documents_of(_files(None, None), NOW).changed is None
    assert "folder" in documents_of(_files(None), NOW).unclear
    assert documents_of(_files(1, 2), NOW).changed is None
    assert "younger than a week" in documents_of(_files(1), NOW).unclear
    assert documents_of([], NOW).changed is None
