import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.gateway.requests.pattern import size


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("abc", 3),
        ("a{3}", 3),
        ("a{2,}", 2),
        ("a{1,200}", 200),
        ("(ab{2}){10}", 30),
        ("(?:a|[b-d]{1,5}){1,20}", 120),
        (r"\d{4}-\d{2}-\d{2}", 10),
        (r"[]\]{9}]{7}", 7),
        (r"\{3\}", 3),
        ("([a-z]{1,200}[0-9]{1,200}){1,55}", 22_000),
        ("((a{100}){100}){100}", 1_000_000),
        ("x*y+z?", 3),
    ],
)
def test_what_is_counted_is_written_out(pattern: str, expected: int) -> None:
    assert size(pattern) == expected


@given(st.text(alphabet="ab(){}[]\\|?*+0123456789,^$:<=!", max_size=512))
def test_any_text_has_a_size(pattern: str) -> None:
    assert size(pattern) >= 0
