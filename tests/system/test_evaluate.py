"""`quiver evaluate` on a running platform: documents answer what the model alone cannot."""

import json
import secrets
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from examples.demo.platform import QUIVER, Platform, create_key
from models.demo.corpus import UNKNOWN, Example

VARIANTS = [
    {"name": "base", "model": "quiver-demo"},
    {"name": "documents", "model": "quiver-demo", "knowledgeBases": ["facts"]},
    {"name": "adapter", "model": "support", "grounded": False},
]


@pytest.fixture(scope="module")
def evaluated(
    platform: Platform, questions: list[Example], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """What the command says, and its folder."""
    folder = tmp_path_factory.mktemp("evaluation")
    rows = [{"question": each.question, "answer": each.answer} for each in questions[:30]]
    (folder / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    plan = {"questions": "questions.jsonl", "metric": "contains", "variants": VARIANTS, "abstentions": [UNKNOWN]}
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan))
    words = [
        "evaluate",
        str(folder / "plan.yaml"),
        "--url",
        platform.url.removesuffix("/v1"),
        "--out",
        str(folder / "out"),
    ]
    wrong = subprocess.run([QUIVER, *words, "--key", "qv-acme-wrong"], capture_output=True, check=False, timeout=60)
    assert wrong.returncode == 1  # and no refusal is kept as an answer
    return _run(*words, "--key", platform.keys["acme"]), folder / "out"


def _run(*words: str) -> str:
    ended = subprocess.run([QUIVER, *words], capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_documents_win_where_the_answers_are_in_documents(evaluated: tuple[str, Path]) -> None:
    said, out = evaluated
    assert "winner: documents" in said
    result = json.loads((out / "result.json").read_text())
    assert result["winner"] == "documents"
    assert result["comparison"]["means"]["base"] < result["comparison"]["means"]["documents"] - 0.3
    assert result["use"]["documents"]["errors"] == 0
    assert "<svg" in (out / "report.html").read_text()


def test_advice_is_what_was_measured(platform: Platform, evaluated: tuple[str, Path]) -> None:
    name = f"advice-{secrets.token_hex(3)}"
    key = create_key(platform.root, "acme", name, ("documents",))
    words = ["advise", "--evaluation", str(evaluated[1] / "result.json"), "--store", "vs_facts", "--made-up", "costly",
             "--url", platform.url.removesuffix("/v1"), "--key", key]  # fmt: skip
    try:
        platform.wait_until(lambda: _has_key(words), what="the key", limit_s=30)
        said = _run(*words)
    finally:
        (platform.root / f"key-acme-{name}.yaml").unlink()
    assert "Serve: retrieval from documents\n" in said
    assert "no other variant comes near it" in said
    assert "a made-up answer is costly" in said


def _has_key(words: list[str]) -> bool:
    return subprocess.run([QUIVER, *words], capture_output=True, check=False, timeout=60).returncode == 0


def test_a_judge_reads_the_kept_answers_and_its_noise_is_said(
    platform: Platform, evaluated: tuple[str, Path], tmp_path: Path
) -> None:
    """The demo's model judges badly: the report says so."""
    folder = shutil.copytree(evaluated[1].parent, tmp_path / "judged")
    plan = yaml.safe_load((folder / "plan.yaml").read_text())
    judge = {"metric": "judge", "judge": {"model": "quiver-demo"}}
    (folder / "plan.yaml").write_text(yaml.safe_dump({**plan, **judge}))
    answers = (folder / "out" / "answers.jsonl").read_bytes()
    said = _run("evaluate", str(folder / "plan.yaml"), "--url", platform.url.removesuffix("/v1"), "--out",
                str(folder / "out"), "--key", platform.keys["acme"])  # fmt: skip
    noise = json.loads((folder / "out" / "result.json").read_text())["noise"]
    assert noise["judged"] > 0
    assert f"the judge read {noise['judged']} answers in two orders" in said
    assert (folder / "out" / "answers.jsonl").read_bytes() == answers  # nothing is asked again


def test_a_teachers_cited_answers_become_training_data(
    platform: Platform, questions: list[Example], tmp_path: Path
) -> None:
    asked, out = tmp_path / "questions.jsonl", tmp_path / "taught.jsonl"
    asked.write_text("".join(json.dumps({"question": each.question}) + "\n" for each in questions[:24]))
    words = ["tune", "distill", str(asked), "--model", "quiver-demo", "--knowledge-base", "facts", "--out", str(out),
             "--url", platform.url.removesuffix("/v1"), "--key", platform.keys["acme"]]  # fmt: skip
    said = _run(*words)
    rows = [json.loads(line)["messages"] for line in out.read_text().splitlines()]
    assert f"{len(rows)} rows" in said
    right = {each.question: each.answer for each in questions[:24]}
    taught = [right[question["content"]] == answer["content"] for question, answer in rows]
    assert sum(taught) > 8  # of 24, a quarter of which nothing answers
    assert not any("[" in answer["content"] for _, answer in rows)
    kept = (tmp_path / "taught.jsonl.answers").read_bytes()
    assert _run(*words) == said  # nothing is asked again
    assert (tmp_path / "taught.jsonl.answers").read_bytes() == kept
