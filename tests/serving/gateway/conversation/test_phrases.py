"""Text that consists of listed phrases."""

from hypothesis import given
from hypothesis import strategies as st

from serving.gateway.conversation.phrases import Phrases, listed

ENGLISH = Phrases(keys=listed("thank you, thanks"), fillers=listed("so, so much\nthank"), separator=" ")
KOREAN = Phrases(keys=listed("왜, 왜요"), fillers=listed("정말, 요"))


def test_a_text_is_covered_by_phrases_with_a_key_among_them() -> None:
    assert ENGLISH.cover("thank you so much")
    assert ENGLISH.cover("thanks")
    assert not ENGLISH.cover("so much")
    assert not ENGLISH.cover("thank you for all")
    assert not ENGLISH.cover("thankssomuch")
    assert not ENGLISH.cover("")
    assert KOREAN.cover("정말왜요")
    assert not KOREAN.cover("정말왜냐")


@given(st.lists(st.sampled_from(sorted(ENGLISH.keys | ENGLISH.fillers)), min_size=1, max_size=6))
def test_any_row_of_phrases_is_covered_if_one_is_a_key(phrases: list[str]) -> None:
    text = " ".join(phrases)
    assert ENGLISH.cover(text) >= bool(ENGLISH.keys & set(phrases))
    assert ENGLISH.cover(text) <= ("thank" in text)
