"""Values of answers and passages in one spelling."""

import pytest

from serving.gateway.values import values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30 days", {"30"}),
        ("1,234.50 euros", {"1234.5"}),
        ("1.234,50 \u20ac", {"1234.5"}),
        ("9,900\uc6d0", {"9900"}),
        ("\uff13\uff10 days", {"30"}),
        ("version 2.10.3", {"2.10.3"}),
        ("2026-01-02", {"2026", "1", "2"}),
        ("007", {"7"}),
        ("0", {"0"}),
        ("three or 3.0", {"3"}),
        ("no number", set()),
        ("30 45", {"30", "45"}),
        ("AB-4172", {"4172"}),
    ],
)
def test_a_number_has_one_spelling(text: str, expected: set[str]) -> None:
    assert values(text) == expected
