import unicodedata
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.gateway.citations import CitationParser
from serving.gateway.contradictions import contradictions
from tests.serving.gateway.passages import evidence

EVIDENCE = [evidence(n, document=f"file{n}.md", text=f"text {n}: 30 days") for n in range(1, 4)]

ANSWERS = st.lists(
    st.sampled_from(
        ["30 days", " ", "`", "```", "\n", "{", '"', "\\", "[", "]", "[1]", "[2]", "[3]", "[4]", "[0]", "[99]", "[123]",
         "[x]", "[[1]]", "é", "한"]
    )
).map("".join)  # fmt: skip


def _whole(text: str) -> tuple[str, CitationParser]:
    marks = CitationParser(EVIDENCE)
    return marks.feed(text) + marks.end(), marks


def test_a_mark_becomes_an_annotation_that_spans_it() -> None:
    text, marks = _whole("30 days [2].")
    assert text == "30 days [2]."
    citation = marks.annotations[0]["url_citation"]
    assert text[citation["start_index"] : citation["end_index"]] == "[2]"
    assert citation["title"] == "file2.md"
    assert citation["text"] == "text 2: 30 days"


def test_a_passage_that_contradicts_the_cited_one_is_shown_with_its_date() -> None:
    new, *old = (
        evidence(n, document=f"{n}.md", text=f"The late fee is {n} euros.").model_copy(update={"dated": n * 86_400})
        for n in (6, 5, 4, 3, 2)
    )
    marks = CitationParser([new, *old], contradictions=contradictions([new, *old]))
    marks.feed("The late fee is 6 euros [1].")
    (annotation,) = marks.annotations
    assert annotation["url_citation"]["dated"] == "1970-01-07"
    others = annotation["url_citation"]["contradicted_by"]
    assert [(other["title"], other["dated"]) for other in others] == [
        ("5.md", "1970-01-06"), ("4.md", "1970-01-05"), ("3.md", "1970-01-04")
    ]  # fmt: skip
    assert (others[0]["text"], others[0]["url"].endswith("#c5")) == ("The late fee is 5 euros.", True)


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
    marks = CitationParser(EVIDENCE)
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


def test_a_list_of_numbers_in_json_keeps_its_numbers_and_a_mark_in_its_text_is_still_one() -> None:
    text, marks = _whole('{"sizes": [7], "answer": "30 days [2] \\"net\\" [9]", "more": [1]}')
    assert text == '{"sizes": [7], "answer": "30 days [2] \\"net\\" ", "more": [1]}'
    assert [item["url_citation"]["chunk_id"] for item in marks.annotations] == ["c2"]
    assert marks.removed == 1


def test_an_index_in_code_is_no_mark() -> None:
    for text in ("`a[7]` b", "```\nx = a[7]\ny = [9]\n```", "``a ` [7]``", "```py\n`a` [7]"):
        found, marks = _whole(text)
        assert (found, marks.annotations, marks.removed) == (text, [], 0)
    assert _whole("an odd ` [7]\nthen [9] [1]")[0] == "an odd ` [7]\nthen  [1]"
    assert _whole("`a[7]` then [9]")[0] == "`a[7]` then "
    assert _whole("`30 days`[9]")[0] == "`30 days`"


def _citation(document: str) -> dict[str, Any]:
    marks = CitationParser([evidence(document=document)])
    marks.feed("30 days [1]")
    marks.end()
    found: dict[str, Any] = marks.annotations[0]["url_citation"]
    return found


def test_a_documents_name_cannot_add_to_its_url_nor_turn_its_title_around() -> None:
    citation = _citation("hr/a#b ?\u202egnp.md")
    assert citation["url"] == "/v1/vector_stores/vs_handbook/files/file-1/content#c1"
    assert citation["title"] == "hr/a#b ?gnp.md"


@pytest.mark.parametrize(
    "unseen", ["\u200b", "\u2066", "\ufeff", "\u00ad", "\n", "\x00", "\x85", "\u2028", "\U000e0041", "\u3164", "\ufe0f"]
)
def test_what_nobody_sees_is_not_in_a_title(unseen: str) -> None:
    assert _citation(f"ref{unseen}unds.md")["title"] == "refunds.md"


@pytest.mark.parametrize("seen", ["환불 안내.md", "règles (2).md", "規則.txt", "🙂.md"])
def test_a_title_in_any_script_is_left_as_it_is(seen: str) -> None:
    assert _citation(seen)["title"] == seen


def test_a_url_leads_to_the_web_page_or_to_the_documents_passages() -> None:
    def url(**attributes: str) -> str:
        cited = evidence().model_copy(update={"attributes": attributes})
        marks = CitationParser([cited])
        marks.feed("30 days [1]")
        marks.end()
        return str(marks.annotations[0]["url_citation"]["url"])

    assert url() == "/v1/vector_stores/vs_handbook/files/file-1/content#c1"
    assert url(url="https://a.example/prices") == "https://a.example/prices"
    assert url(url="javascript:alert(1)") == url()


@given(st.text())
def test_a_title_holds_no_control_and_no_format_character(document: str) -> None:
    assert {unicodedata.category(c) for c in _citation(document)["title"]}.isdisjoint({"Cc", "Cf"})


def test_a_passage_is_read_under_its_heading_and_cited_without() -> None:
    basic = evidence(heading="Plans > Basic", text="Refund window: 30 days")
    assert basic.passage == "Plans > Basic: Refund window: 30 days"
    marks = CitationParser([basic])
    marks.feed("30 days [1]")
    marks.end()
    assert marks.annotations[0]["url_citation"]["text"] == "Refund window: 30 days"


@pytest.mark.parametrize("heading", ["", "Basic", "the basic PLAN"])
def test_a_heading_that_says_nothing_new_is_left_out(heading: str) -> None:
    text = "The Basic plan has a refund window of 30 days."
    assert evidence(heading=heading, text=text).passage == text


PLANS = [
    evidence(1, heading="Plans", text="Plan: Basic; Refund window: 30 days; Price: 1,234.50 euros"),
    evidence(2, heading="Plans", text="Plan: Pro; Refund window: 45 days; Since: 2026-01-02"),
    evidence(3, heading="Plans", text="Each plan has support by telephone; three calls are free."),
]


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("It is 30 days [1].", "It is 30 days [1]."),
        ("It is 45 days [1].", "It is 45 days ."),
        ("Basic: 30 days [1]; Pro: 45 days [2].", "Basic: 30 days [1]; Pro: 45 days [2]."),
        ("Basic: 30 days [2]; Pro: 45 days [1].", "Basic: 30 days ; Pro: 45 days ."),
        ("It is 45 days. [2] It was 44. [2]", "It is 45 days. [2] It was 44. "),
        ("Support is by telephone [3].", "Support is by telephone [3]."),
        ("3 calls are free [3], 2 are not [3].", "3 calls are free [3], 2 are not ."),
        ("Basic has 30 days and Pro has 45 days [1][2].", "Basic has 30 days and Pro has 45 days [1][2]."),
        ("Basic has 30 days and Pro has 44 days [1][2].", "Basic has 30 days and Pro has 44 days ."),
        ("Pro\ub294 2026\ub144 1\uc6d4 2\uc77c [2].", "Pro\ub294 2026\ub144 1\uc6d4 2\uc77c [2]."),
        ("It is 31 days approx. per month [1].", "It is 31 days approx. per month ."),
        ("It is 31 days (incl. VAT) [1].", "It is 31 days (incl. VAT) ."),
        ("1) Open it [3]", "1) Open it [3]"),
        ("**Step 2:** call us [3]", "**Step 2:** call us [3]"),
        ("It costs 1234.50 euros [1].", "It costs 1234.50 euros [1]."),
        ("Pro exists since 2 January 2026 [2].", "Pro exists since 2 January 2026 [2]."),
        ("1. Basic has 30 days [1]\n2. Pro has 45 days [2]", "1. Basic has 30 days [1]\n2. Pro has 45 days [2]"),
        ("For 12 seats it is 30 days [1].", "For 12 seats it is 30 days [1]."),
        ("30 days [1][2].", "30 days [1]."),
        ('{"answer": "45 days [1]"}', '{"answer": "45 days "}'),
    ],
)
def test_a_mark_stays_where_its_passage_holds_the_values_of_its_sentence(answer: str, shown: str) -> None:
    for cut in range(len(answer)):
        marks = CitationParser(PLANS, "What is the window for 12 seats?")
        assert marks.feed(answer[:cut]) + marks.feed(answer[cut:]) + marks.end() == shown


@given(values=st.lists(st.integers(2, 500), min_size=2, max_size=8, unique=True), data=st.data())
def test_no_mark_stays_whose_passage_has_another_value(values: list[int], data: st.DataObject) -> None:
    """Tables of plans, of which each row is a neighbour of the right one."""
    rows = [evidence(n, text=f"Plan: P{chr(64 + n)}; Window: {value} days") for n, value in enumerate(values, 1)]
    said, cited = data.draw(st.sampled_from(values)), data.draw(st.integers(1, len(values)))
    marks = CitationParser(rows, "What is the window?")
    text = marks.feed(f"The window is {said} days [{cited}].") + marks.end()
    assert (f"[{cited}]" in text) == (values[cited - 1] == said)
