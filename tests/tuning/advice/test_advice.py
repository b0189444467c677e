"""Six made tenants get the recommendation that their facts support."""

import json
from pathlib import Path
from typing import Any

import pytest

from tuning.advice.advice import Advice, advised
from tuning.advice.facts import ADAPTER, DOCUMENTS, EXAMPLES, PROMPT, Fact, Facts, Measured
from tuning.advice.reading import InputInvalidError, labelled, measured
from tuning.advice.report import lines

PARTS = {
    "base": frozenset[str](), "prompt": frozenset({PROMPT}), "few": frozenset({EXAMPLES}),
    "documents": frozenset({DOCUMENTS}), "adapter": frozenset({ADAPTER}), "both": frozenset({ADAPTER, DOCUMENTS}),
}  # fmt: skip


def _measured(*best: str, **means: float) -> Fact[Measured]:
    parts = {name: PARTS[name] for name in means}
    return Fact(Measured(means, parts, best, questions=200, visible=0.09), "result.json")


def _advice(**facts: Any) -> Advice:
    return advised(Facts(**facts))


def test_a_static_faq_is_served_by_the_cheapest_of_the_best() -> None:
    advice = _advice(documents=Fact(40, "kb"), changed_weekly=Fact(0.0, "kb"), rows=Fact(800, "data"),
                     measured=_measured("adapter", "documents", base=0.1, documents=0.82, adapter=0.8))  # fmt: skip
    assert advice.parts == {ADAPTER}


def test_daily_prices_come_from_documents_whatever_scored_best() -> None:
    advice = _advice(documents=Fact(40, "kb"), changed_weekly=Fact(0.9, "kb"),
                     measured=_measured("adapter", base=0.1, documents=0.8, adapter=0.9))  # fmt: skip
    assert advice.parts == {DOCUMENTS}
    assert any("90% of them changed in a week" in reason for reason in advice.reasons)
    assert any("lacks documents" in reason for reason in advice.reasons)


def test_a_house_style_is_an_adapter_and_with_documents_both() -> None:
    scores = _measured("adapter", base=0.1, prompt=0.5, adapter=0.95)
    assert _advice(rows=Fact(900, "data"), measured=scores).parts == {ADAPTER}
    both = _measured("both", base=0.1, documents=0.5, adapter=0.4, both=0.95)
    assert _advice(rows=Fact(900, "data"), changed_weekly=Fact(0.2, "kb"), measured=both).parts == {ADAPTER, DOCUMENTS}


def test_a_part_that_adds_nothing_is_not_advised() -> None:
    alike = _measured("both", "documents", base=0.1, documents=0.9, both=0.9)  # both has shorter answers
    assert _advice(rows=Fact(20, "data"), measured=alike).parts == {DOCUMENTS}


def test_few_labels_go_into_the_prompt() -> None:
    assert _advice(rows=Fact(20, "data")).parts == {EXAMPLES}
    assert "20 labelled examples are too few" in _advice(rows=Fact(20, "data")).reasons[0]
    assert _advice(rows=Fact(70, "data")).parts == {EXAMPLES}
    assert _advice(rows=Fact(100, "data")).parts == {ADAPTER}


def test_audited_answers_come_from_documents() -> None:
    advice = _advice(must_explain=Fact(True, "--explain"), measured=_measured("adapter", "both", adapter=0.9, both=0.9))
    assert advice.parts == {ADAPTER, DOCUMENTS}
    assert any("citations" in reason for reason in advice.reasons)
    costly = _advice(wrong_is_costly=Fact(True, "--made-up"))
    assert costly.parts == {DOCUMENTS}


def test_what_was_not_measured_is_not_sure() -> None:
    advice = _advice(must_explain=Fact(True, "--explain"), measured=_measured("adapter", base=0.1, adapter=0.9))
    assert (advice.parts, advice.sure) == (frozenset({DOCUMENTS}), False)
    assert "No variant with documents was measured: add one to the evaluation." in advice.reasons


def test_a_prompt_is_enough_where_nothing_is_better() -> None:
    advice = _advice(
        rows=Fact(900, "data"), measured=_measured("prompt", "adapter", base=0.2, prompt=0.8, adapter=0.83)
    )
    assert advice.parts == {PROMPT}
    assert "adapter is not told apart from it (differences below 9% are not seen)" in advice.reasons[0]


def test_what_is_missing_is_said_and_lowers_the_claim() -> None:
    advice = _advice()
    assert advice.parts == {PROMPT}
    assert not advice.sure
    assert all(answered.is_missing for answered in advice.questions)
    assert len(advice.questions) == 6
    text = "\n".join(lines(advice))
    assert "Begin with: a system prompt" in text
    assert "6 of 6 questions have no answer yet" in text
    assert "Try first" in text
    unclear = _advice(change_unclear="all documents are younger than a week").questions[4]
    assert unclear.answer == "missing: all documents are younger than a week"


def test_each_answer_has_its_figure_and_where_it_is_from() -> None:
    advice = _advice(documents=Fact(40, "kb"), changed_weekly=Fact(0.25, "kb"), rows=Fact(800, "data.jsonl"),
                     conflicts=Fact(3, "x"), wrong_is_costly=Fact(False, "--made-up"),
                     must_explain=Fact(False, "--explain"),
                     measured=_measured("both", base=0.1, documents=0.5, adapter=0.4, both=0.95))  # fmt: skip
    assert [(each.answer, each.source) for each in advice.questions] == [
        ("documents change the score by +55%", "result.json"), ("an adapter changes the score by +45%", "result.json"),
        ("tolerable", "--made-up"), ("800 rows, 3 contradict others", "data.jsonl"),
        ("25% of the documents in the last week", "kb"), ("no", "--explain"),
    ]  # fmt: skip
    assert "of 6 questions have no answer" not in "\n".join(lines(advice))


def test_facts_are_read_from_files(tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    data.write_text("".join(json.dumps({"prompt": f"q{n % 20}", "completion": "a"}) + "\n" for n in range(40)))
    assert labelled(data)[0] == Fact(20, str(data))
    base = {"name": "base", "model": "demo", "system": "", "examples": [], "knowledge_bases": []}
    variants = [base, base | {"name": "kb", "knowledge_bases": ["k"]}, base | {"name": "a", "model": "s"}]
    use = {"base": {"cited": 0}, "kb": {"cited": 5}, "a": {"cited": 0}}
    comparison = {"means": {"base": 0.1, "kb": 0.5, "a": 0.2}, "best": ["kb"], "pairs": [{"visible": 0.2}]}
    file = tmp_path / "result.json"
    file.write_text(json.dumps({"questions": 9, "variants": variants, "use": use, "comparison": comparison}))
    fact = measured(file).value
    assert fact.parts == {"base": frozenset(), "kb": frozenset({DOCUMENTS}), "a": frozenset({ADAPTER})}
    use["a"]["cited"] = 3  # of its own documents
    file.write_text(json.dumps({"questions": 9, "variants": variants, "use": use, "comparison": comparison}))
    assert measured(file).value.parts["a"] == {ADAPTER, DOCUMENTS}
    file.write_text("[]")
    with pytest.raises(InputInvalidError, match="is no result of quiver evaluate"):
        measured(file)
    data.write_text("{")
    with pytest.raises(InputInvalidError, match="has 1 faults: see quiver tune check"):
        labelled(data)
