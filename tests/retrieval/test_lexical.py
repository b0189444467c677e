"""The analyzer: what a question and a document have in common."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.lexical import query_terms, terms


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A Refund-Window", ["refund", "window"]),
        ("snake_case v2.1", ["snake", "case", "v2", "1"]),
        ("환불기간은", ["환불", "불기", "기간"]),
        ("東京都の iPhone", ["東京", "京都", "都の", "iphon"]),
        ("A4용지", ["a4", "용지"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("q\u0323\u0307y 1\ufe0f", ["q\u0323\u0307y", "1"]),
        ("값", ["값"]),
        ("\uff26\uff35\uff2c\uff2c\u3000\uff57\uff49\uff44\uff54\uff48", ["full", "width"]),
        ("Straße", ["strass"]),
        ("... !?", []),
    ],
)
def test_words_are_folded_and_stemmed_and_unspaced_scripts_become_bigrams(text: str, found: list[str]) -> None:
    assert query_terms(text) == found


@pytest.mark.parametrize(("asked", "written"), [("책", "책을 읽었다"), ("水", "冷水器"), ("값", "값")])
def test_a_word_of_one_character_is_found_inside_a_run(asked: str, written: str) -> None:
    assert set(query_terms(asked)) & set(terms(written))


def test_a_longer_word_is_not_found_by_one_character_of_it() -> None:
    assert not set(query_terms("책상")) & set(terms("책을"))


def test_a_korean_word_is_found_whatever_particle_follows() -> None:
    asked, written = query_terms("반품은 가능한가요"), terms("반품을 받은 날")
    assert set(asked) & set(written) == {"반품"}


@pytest.mark.parametrize(
    ("asked", "written"), [("batteries", "a battery"), ("charging it", "charged"), ("Ärzte", "ärzte")]
)
def test_an_english_word_is_found_in_its_other_forms(asked: str, written: str) -> None:
    assert set(query_terms(asked)) & set(terms(written))


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("반품할 수 있는 기간은 며칠인가요?", ["반품", "품할", "기간"]),
        ("보안 키는 어디에서 받나요?", ["보안", "키는"]),
        ("왜?", ["왜"]),
        ("나이 제한이 있나요?", ["나이", "제한"]),
        ("이의 신청은 어떻게 하나요?", ["이의", "신청"]),
        ("해고 제도가 있나요?", ["해고", "제도"]),
        ("나이가 많은 사람의 용지는?", ["나이", "많은", "사람", "용지"]),
    ],
)
def test_question_words_and_endings_of_korean_are_no_terms(question: str, asked: list[str]) -> None:
    assert query_terms(question)[: len(asked)] == asked


def test_decomposed_and_composed_spellings_are_the_same() -> None:
    assert terms("\u1112\u1161\u11ab\u1100\u1173\u11af cafe\u0301") == terms("한글 caf\u00e9")


def test_a_question_keeps_its_function_words_only_if_it_has_nothing_else() -> None:
    assert query_terms("What is the refund refund window?") == ["refund", "window"]
    assert query_terms("Who is it?") == ["who", "is", "it"]


@given(st.text())
def test_terms_survive_being_stored_as_one_line(text: str) -> None:
    found = terms(text)
    assert " ".join(found).split() == found


@given(st.text())
def test_terms_of_a_document_and_of_a_question_agree(text: str) -> None:
    assert set(query_terms(text)) <= set(terms(text))
