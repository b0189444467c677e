"""Kinds of short messages, learned from examples."""

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.gateway.conversation.classifier import Classifier, phrases, words

EXAMPLES = [
    ("greeting", "hello there"),
    ("greeting", "hello!"),
    ("greeting", "안녕하세요"),
    ("question", "how much is the tea?"),
    ("question", "how late is the bus there?"),
    ("question", "차는 얼마예요?"),
]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.of(EXAMPLES)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("HELLO", "greeting"),
        ("how much is it", "question"),
        ("안녕", "greeting"),  # a part of a word
        ("커피는 얼마죠", "question"),
        ("?", "question"),
        ("harpsichord and lute", "question"),  # words that are in no example are commoner among questions
    ],
)
def test_a_message_is_of_the_kind_whose_phrases_it_has(classifier: Classifier, message: str, kind: str) -> None:
    scores = classifier.scores(message)
    assert max(scores, key=lambda each: scores[each]) == kind


def test_case_apostrophes_and_numbers_make_no_difference() -> None:
    assert words("Don't pay 12.50!") == words("dont PAY 3.7 !") == ["dont", "pay", "0", ".", "0", "!"]


def test_syllables_in_letters_are_put_together() -> None:
    assert words(unicodedata.normalize("NFD", "안녕하세요")) == ["안녕하세요"]


def test_a_message_is_read_as_words_pairs_and_parts_of_korean_words() -> None:
    assert phrases(words("so what?")) == {"so", "what", "?", "^ so", "so what", "what ?", "? $", "#2"}
    assert {"~_차", "~차는", "~는_", "~차는_"} <= phrases(words("차는"))


@given(st.text(max_size=200))
def test_any_text_has_a_score_for_each_kind(message: str) -> None:
    scores = Classifier.of(EXAMPLES).scores(message)
    assert set(scores) == {"greeting", "question"}
    assert all(score <= 0 and math.isfinite(score) for score in scores.values())
