"""Words from nowhere behind a value."""

import pytest

from serving.gateway.fragments import goes_on
from serving.gateway.names import ordered_words, words

PASSAGE = "The Vaslart Starter heater; member day: May 13, 1994; member owner: Dogo Pavi; fee: 9 euros per month; Jahr"
QUESTION = "What is the member owner of Grexji 4?"


@pytest.mark.parametrize(
    "answer",
    ["May 13, 1994 business", "May 13, 1994 business business business.", "Dogo Pavi vendor", "9 euros business"],
)
def test_a_word_that_neither_passage_nor_question_has_is_noticed(answer: str) -> None:
    assert goes_on(answer, here=words(f"{PASSAGE} {QUESTION}"), passages=[ordered_words(PASSAGE)])


@pytest.mark.parametrize(
    "answer",
    [
        "May 13, 1994", "Dogo Pavi", "9 euros monthly", "9 euros per month", "9 euros jährlich", "9 euros a year",
        "May 13, 1994 for members", "business", "It was on May 13, 1994, before business began.", "",
        "Dogo Pavi owns it", "1994 business",
    ],
)  # fmt: skip
def test_values_and_sentences_are_left_alone(answer: str) -> None:
    assert not goes_on(answer, here=words(f"{PASSAGE} {QUESTION}"), passages=[ordered_words(PASSAGE)])


def test_the_words_of_the_question_are_no_strangers() -> None:
    assert not goes_on(
        "Dogo Pavi business", here=words(f"{PASSAGE} Who owns the business?"), passages=[ordered_words(PASSAGE)]
    )
