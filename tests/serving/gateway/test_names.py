"""Names of an answer that its passage does not have."""

import pytest

from serving.gateway.names import has_strange_name, names, words

PASSAGE = "The museum is led by Fischer Podre; its contact is Terza Staskialbri in Hamburg."
OTHER = "The engine city of Tenondki is Vienna, and its officer is Hooli Vigrian."


def is_strange(answer: str, asked: str = "") -> bool:
    return has_strange_name(answer, here=words(PASSAGE) | words(asked), own=names(PASSAGE), others=names(OTHER))


@pytest.mark.parametrize(
    "answer",
    [
        "Vienna users",
        "The museum is in Vienna",
        "Fischer Podreort",
        "Hamburgg",
        "Terza Staskialbribri",
        "Fischer Vigrian",
        "Fischer Rossi",
    ],
)
def test_a_name_from_elsewhere_is_strange(answer: str) -> None:
    assert is_strange(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "Fischer Podre",
        "It is Fischer Podre",
        "Das Museum wird von Fischer Podre geleitet",
        "The contact can be reached in Hamburg",
        "Hamburgs Museum",
        "\ubc15\ubb3c\uad00\uc740 Hamburg\uc5d0 \uc788\uc2b5\ub2c8\ub2e4",
        "30 days",
        "",
    ],
)
def test_other_words_and_languages_are_not(answer: str) -> None:
    assert not is_strange(answer)


def test_a_name_of_the_question_is_not_strange() -> None:
    assert not is_strange("Vienna has one", "Is there one in Vienna?")
