from hypothesis import given
from hypothesis import strategies as st

from serving.gateway.dates import iso_date


def test_a_date_is_a_day_in_utc() -> None:
    assert iso_date(1_790_000_000) == "2026-09-21"
    assert iso_date(0) is None


@given(st.integers())
def test_any_time_of_a_file_has_a_day_or_none(seconds: int) -> None:
    assert iso_date(seconds) is None or len(iso_date(seconds) or "") == len("2026-09-21")
