"""Answers of the chat API as the page shows them."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from console.answer import Answer, Segment, chunk_of, document_address


def _considered(chunk: str, text: str) -> dict[str, Any]:
    return {"chunk_id": chunk, "knowledge_base": "handbook", "file_id": "file-1", "heading": "Refunds", "text": text}


def _citation(start: int, end: int, chunk: str) -> dict[str, Any]:
    cited = {"start_index": start, "end_index": end, "chunk_id": chunk, "title": "a.md", "text": f"text of {chunk}"}
    return {"type": "url_citation", "url_citation": cited}


def test_an_answer_grows_with_its_chunks() -> None:
    answer = Answer()
    passages = [_considered("c1", "text of c1"), _considered("c2", "text of c2")]
    assert answer.add({"retrieval": {"outcome": "evidence", "passages": passages}, "choices": []}) == ""
    assert answer.add({"choices": [{"delta": {"content": "30 days [1], or "}}]}) == "30 days [1], or "
    last = {"content": "45 [2].", "annotations": [_citation(8, 11, "c1"), _citation(19, 22, "c2")]}
    answer.add({"choices": [{"delta": last}]})
    assert answer.segments == [
        Segment("30 days "),
        Segment("[1]", 0),
        Segment(", or 45 "),
        Segment("[2]", 1),
        Segment("."),
    ]
    assert [passage.text for passage in answer.passages] == ["text of c1", "text of c2"]
    assert answer.passages[0].address == document_address(passages[0])
    assert answer.passages[0].address.startswith("/documents/vs_handbook/file-1?cited=")


def test_a_passage_that_is_cited_twice_is_shown_once() -> None:
    answer = Answer("a [1] b [1]", [_citation(2, 5, "c1"), _citation(8, 11, "c1")])
    assert len(answer.passages) == 1
    assert [piece.passage for piece in answer.segments] == [None, 0, None, 0]


def test_a_broken_stream_says_so() -> None:
    answer = Answer()
    answer.add({"error": {"message": "The engine is gone."}})
    assert answer.fault == "The engine is gone."


@given(st.text(max_size=50), st.lists(st.integers(0, 46), max_size=4, unique=True))
def test_segments_are_the_whole_text(text: str, starts: list[int]) -> None:
    places = [start for start in sorted(starts) if start + 3 <= len(text)]
    apart = [start for number, start in enumerate(places) if not number or start >= places[number - 1] + 3]
    apart = [start for start in apart if all(abs(start - other) >= 3 for other in apart if other != start)]
    answer = Answer(text, [_citation(start, start + 3, str(start)) for start in apart])
    assert "".join(piece.text for piece in answer.segments) == text


def test_lines_of_a_stream() -> None:
    assert chunk_of(b'data: {"a": 1}\n') == {"a": 1}
    assert [chunk_of(line) for line in (b"\n", b": comment\n", b"data: [DONE]\n", b"event: x\n")] == [None] * 4
