"""Cutting text into passages."""

from itertools import count, islice

from hypothesis import given
from hypothesis import strategies as st

from retrieval.ingest.chunk import Block, passages

WORDS = st.text("abc가나.! \n", max_size=200)
BLOCKS = st.lists(st.builds(Block, st.sampled_from(["", "One", "Two"]), WORDS), max_size=8)


def words(text: str) -> int:
    return len(text.split())


def cut(*texts: str, budget: int = 40) -> list[str]:
    return [block.text for block in passages([Block("", text) for text in texts], budget=budget, size=words)]


def test_a_paragraph_is_a_passage_of_its_own() -> None:
    one = "The Velmora Basic plan has a refund window of 30 days."
    other = "The Huxtrea Pro router has a warranty of two years."
    assert cut(one, other) == [one, other]


def test_a_very_short_paragraph_joins_its_neighbour() -> None:
    assert cut("Refunds", "The refund window of every plan is thirty days.") == [
        "Refunds\nThe refund window of every plan is thirty days."
    ]


def test_paragraphs_under_different_headings_stay_apart() -> None:
    blocks = [Block("A", "short"), Block("B", "short")]
    assert list(passages(blocks, budget=40, size=words)) == blocks


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    sentences = [f"This is sentence number {number}." for number in range(6)]
    assert cut(" ".join(sentences), budget=12) == [" ".join(sentences[i : i + 2]) for i in (0, 2, 4)]


def test_closing_quotes_and_full_width_stops_end_sentences() -> None:
    assert cut('He said "stop." Then he left at once.', budget=4) == ['He said "stop."', "Then he left at", "once."]
    assert cut("첫 문장입니다. 둘째 문장입니다.", budget=2) == ["첫 문장입니다.", "둘째 문장입니다."]
    assert list(passages([Block("", "一つ目。二つ目。")], budget=4, size=len)) == [
        Block("", "一つ目。"),
        Block("", "二つ目。"),
    ]


def test_a_sentence_and_a_word_over_the_budget_are_cut_too() -> None:
    assert cut("a b c d e", budget=2) == ["a b", "c d", "e"]
    assert list(passages([Block("", "가" * 10)], budget=4, size=len)) == [
        Block("", "가" * 4),
        Block("", "가" * 4),
        Block("", "가가"),
    ]


def test_each_block_that_fits_is_counted_once() -> None:
    counted: list[str] = []

    def size(text: str) -> int:
        counted.append(text)
        return words(text)

    texts = [f"Line {number}" for number in range(1_000)]
    made = list(passages([Block("", text) for text in texts], budget=40, size=size))
    assert "\n".join(block.text for block in made) == "\n".join(texts)
    assert counted == texts


def test_a_reader_that_stops_early_pays_for_what_it_has_taken() -> None:
    endless = (Block(str(number), "A paragraph.") for number in count())
    assert len(list(islice(passages(endless, budget=40, size=words), 5))) == 5


def test_what_the_counter_does_not_see_takes_room_all_the_same() -> None:
    made = list(passages([Block("", "\u0301 \u0301") for _ in range(1_000)], budget=40, size=lambda _text: 0))
    assert max(len(block.text) for block in made) < 200


@given(BLOCKS, st.integers(min_value=4, max_value=60))
def test_no_word_is_lost_or_reordered_and_no_passage_exceeds_the_budget(blocks: list[Block], budget: int) -> None:
    made = list(passages(blocks, budget=budget, size=words))
    assert "".join("".join(block.text.split()) for block in made) == "".join("".join(b.text.split()) for b in blocks)
    assert all(words(block.text) <= budget for block in made)
    assert [block.heading for block in made] == sorted(
        (block.heading for block in made), key=[block.heading for block in blocks].index
    ) or len({block.heading for block in blocks}) > 1
