"""Units beside numbers, in one spelling."""

import pytest

from serving.gateway.units import claimed_units, passage_units


@pytest.mark.parametrize(
    ("answer", "passage"),
    [
        ("It costs 9 euros a month", "Basic: \u20ac9 per month"),
        ("It costs \u20ac9.50", "9.50 EUR"),
        ("3\ub9cc \uc6d0", "30,000\uc6d0"),
        ("30 Tage", "a window of 30 days"),
        ("30-day window", "within thirty days"),
        ("14 business days", "14 days"),
        ("8 percent", "8%"),
        ("at 6 pm", "open until 18:00"),
        ("at 9 a.m.", "from 09:30"),
        ("\uc624\ud6c4 6\uc2dc", "18:00"),
        ("5 kg", "five kilograms"),
        ("version 3", "no unit at all"),
    ],
)
def test_a_unit_is_found_in_other_spellings(answer: str, passage: str) -> None:
    assert claimed_units(answer) <= passage_units(passage)


@pytest.mark.parametrize(
    ("answer", "passage"),
    [
        ("27 kg", "27 April, 165 grams"),
        ("2:00 am", "2:00 pm, 6 minutes"),
        ("$3 month", "station fee: $3"),
        ("9 dollars", "9 euros"),
        ("30 weeks", "30 days"),
        ("at 6 am", "18:00"),
    ],
)
def test_another_unit_is_another_value(answer: str, passage: str) -> None:
    assert not claimed_units(answer) <= passage_units(passage)
