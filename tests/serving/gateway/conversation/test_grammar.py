"""Texts that a notation describes."""

from hypothesis import given
from hypothesis import strategies as st

from serving.gateway.conversation.grammar import grammar

ENGLISH = grammar(
    """
VERY: so, very, really
THANKS: thanks, thank you, much appreciated
GREETING: hi|hello VERY* you? there, THANKS VERY* much?
ALL: GREETING GREETING*
""",
    space=" ",
)
KOREAN = grammar("IS: 예요, 이야\nWHO: 누구 IS, 너? 로봇 IS", space="")


def test_a_text_is_said_if_it_follows_the_notation_from_end_to_end() -> None:
    assert ENGLISH.says("ALL", "hi there")
    assert ENGLISH.says("ALL", "hello you there thank you so so much")
    assert not ENGLISH.says("ALL", "hi")
    assert not ENGLISH.says("ALL", "hithere")
    assert not ENGLISH.says("ALL", "thank you all")
    assert not ENGLISH.says("ALL", "")
    assert KOREAN.says("WHO", "너로봇이야")
    assert not KOREAN.says("WHO", "너누구예요")


def test_the_words_of_a_notation_are_known() -> None:
    assert KOREAN.words == {"예요", "이야", "누구", "너", "로봇"}


@given(st.lists(st.sampled_from(["hi there", "thanks", "thank you very much", "hello so you there"]), min_size=1))
def test_any_row_of_what_is_said_is_said(greetings: list[str]) -> None:
    assert ENGLISH.says("ALL", " ".join(greetings))
    assert not ENGLISH.says("ALL", " ".join([*greetings, "vacation"]))


@given(st.text(alphabet="hithereanksyoumc ", max_size=60))
def test_nothing_else_is_said(text: str) -> None:
    """A greeting ends with one of these words."""
    assert not ENGLISH.says("ALL", text) or text.split()[-1] in {
        "there",
        "thanks",
        "you",
        "much",
        "so",
        "very",
        "really",
    }
