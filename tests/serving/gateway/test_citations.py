from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from serving.gateway.citations import Evidence, Marks

EVIDENCE = [Evidence(f"c{n}", f"d{n}", f"file{n}.md", "handbook", f"text {n}") for n in range(1, 4)]

ANSWERS = st.lists(
    st.sampled_from(
        ["30 days", " ", "[", "]", "[1]", "[2]", "[3]", "[4]", "[0]", "[99]", "[123]", "[x]", "[[1]]", "é", "한"]
    )
).map("".join)


def _whole(text: str) -> tuple[str, Marks]:
    marks = Marks(EVIDENCE)
    return marks.feed(text) + marks.end(), marks


def test_a_mark_becomes_an_annotation_that_spans_it() -> None:
    text, marks = _whole("30 days [2].")
    assert text == "30 days [2]."
    citation = marks.annotations[0]["url_citation"]
    assert text[citation["start_index"] : citation["end_index"]] == "[2]"
    assert citation["title"] == "file2.md"
    assert citation["text"] == "text 2"


def test_a_mark_that_points_to_nothing_is_removed_and_counted() -> None:
    text, marks = _whole("a [4] b [0] c [1]")
    assert text == "a  b  c [1]"
    assert marks.removed == 2
    assert len(marks.annotations) == 1


def test_brackets_that_are_no_marks_are_left_alone() -> None:
    for text in ("[]", "[x]", "[1", "a[", "[[", "[123]", "[ 1]", "[1 ]"):
        assert _whole(text)[0] == text


@given(ANSWERS, st.lists(st.integers(0, 60)))
def test_how_an_answer_is_cut_changes_nothing(answer: str, cuts: list[int]) -> None:
    expected, whole = _whole(answer)
    places = [0, *sorted(cut for cut in cuts if cut < len(answer)), len(answer)]
    marks = Marks(EVIDENCE)
    text = "".join(marks.feed(answer[a:b]) for a, b in pairwise(places)) + marks.end()
    assert text == expected
    assert marks.annotations == whole.annotations
    assert marks.removed == whole.removed


@given(ANSWERS)
def test_every_annotation_spans_a_mark_of_its_own_number(answer: str) -> None:
    text, marks = _whole(answer)
    for annotation in marks.annotations:
        citation = annotation["url_citation"]
        number = text[citation["start_index"] : citation["end_index"]].strip("[]")
        assert citation["chunk_id"] == f"c{number}"
