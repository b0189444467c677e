"""A plan names questions, a metric and variants; a variant is a request."""

from pathlib import Path

import pytest

from contract.prompt import Example
from tuning.evaluation.plan import PlanInvalidError, Variant, read
from tuning.evaluation.question import Question

QUESTION = Question(1, "How long?", ("30 days",), "line 1", system="Passages.")


def test_a_variant_has_its_prompt_examples_and_documents() -> None:
    variant = Variant(
        name="v",
        model="demo",
        system="Be brief.",
        examples=(Example(question="q", answer="a"),),
        knowledge_bases=("kb",),
    )
    body = variant.body(QUESTION, 9)
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "user"]
    assert body["messages"][0]["content"] == "Be brief.\n\nPassages."
    assert body["retrieval"] == {"knowledge_bases": ["kb"]}
    assert (body["temperature"], body["max_tokens"]) == (0, 9)
    assert Variant(name="v", model="support", grounded=False).body(QUESTION, 9)["retrieval"] == {"grounded": False}
    assert "retrieval" not in Variant(name="v", model="support").body(QUESTION, 9)


def test_questions_are_beside_the_plan(tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text("questions: q.jsonl\nvariants: [{name: a, model: x}, {name: b, model: x, knowledgeBases: [k]}]\n")
    plan = read(file)
    assert plan.questions == tmp_path / "q.jsonl"
    assert plan.variants[1].knowledge_bases == ("k",)


@pytest.mark.parametrize(("text", "fault"), [
    ("variants: [{name: a, model: x}, {name: b, model: y}]", "questions: Field required"),
    ("questions: q\nvariants: [{name: a, model: x}]", "at least 2"),
    ("questions: q\nvariants: [{name: a, model: x}, {name: b, model: x}]", "a and b are the same variant"),
    ("questions: q\nvariants: [{name: a, model: x}, {name: b, modell: y}]", "1.modell: Extra inputs"),
    ("questions: q\nmetric: bleu\nvariants: [{name: a, model: x}, {name: b, model: y}]", "metric: Input should be"),
    ("questions: q\nvariants: [{name: a, model: x}, {name: a, model: y}]", "two variants have the name a"),
    ("questions: [", "is not YAML"), ("- a", "valid dictionary"),
])  # fmt: skip
def test_a_fault_is_named(tmp_path: Path, text: str, fault: str) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(text)
    with pytest.raises(PlanInvalidError, match=fault):
        read(file)
