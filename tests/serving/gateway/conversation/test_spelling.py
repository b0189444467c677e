"""Words as they are typed in a chat."""

import pytest

from serving.gateway.conversation import english_spelling, korean_spelling

KNOWN = {"hey", "good", "thanks", "explain", "you", "are"}


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("heyyy", "hey"),
        ("gooood", "good"),
        ("thx u", "thanks you"),
        ("hahahaha", "haha"),
        ("lol", "haha"),
        ("expalin", "explain"),
        ("explainn", "explain"),
        ("im ok", "i am okay"),
        ("warranty", "warranty"),
        ("form", "form"),
    ],
)
def test_english_is_spelt_out(typed: str, read: str) -> None:
    assert english_spelling.spelt_out(typed, KNOWN) == read


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("감사 합니당 ㅎㅎ", "감사합니다"),
        ("고마워용ㅋㅋ", "고마워요"),
        ("ㄱㅅ", "감사"),
        ("ㅎㅇ", "안녕"),
        ("ㅠㅠ", "ㅋㅋ"),
    ],
)
def test_korean_is_spelt_out(typed: str, read: str) -> None:
    assert korean_spelling.spelt_out(typed) == read
