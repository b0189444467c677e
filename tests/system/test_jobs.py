"""A FineTune on a running platform: from examples to an adapter that answers, compared by an Evaluation."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
import yaml

from contract.names import API_VERSION
from examples.demo.platform import Platform, is_ready
from models.demo.corpus import Example
from tests.tuning.training import rows

RECIPE = {"rank": 4, "alpha": 8, "learningRate": 2e-3, "epochs": 2, "maxLength": 512, "patience": 50}


def _object(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name, "namespace": "acme"}, "spec": spec}


def _stored(platform: Platform, kind: str, name: str) -> dict[str, Any]:
    found = (item for item in platform.objects(kind) if item["metadata"]["name"] == name)
    return next(found, {})


def _says(platform: Platform, kind: str, name: str) -> str:
    conditions = _stored(platform, kind, name).get("status", {}).get("conditions", ())
    return next((f"{each['reason']}: {each['message']}" for each in conditions if each["type"] == "Ready"), "")


@pytest.fixture(scope="module")
def trained(platform: Platform) -> Iterator[Platform]:
    examples = platform.root / "documents" / "acme" / "training"
    examples.mkdir(parents=True)
    made = list(rows(100))
    (examples / "style.jsonl").write_text("".join(json.dumps(row) + "\n" for row in made[:80]))
    (examples / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in made[80:]))
    tune = _object("FineTune", "style", baseModel="quiver-demo", hyperparameters=RECIPE, adapter={"name": "styled"},
                   data={"source": "./documents/acme/training/style.jsonl"})  # fmt: skip
    file = platform.root / "training.yaml"
    file.write_text(yaml.safe_dump(tune))
    try:
        platform.wait_until(lambda: is_ready(_stored(platform, "fineTunes", "style")), what="result")
        platform.wait_until(lambda: platform.answers("styled"), what="adapter of the result")
        yield platform
    finally:
        for path in (file, platform.root / "comparison.yaml", platform.root / "adapter-acme.styled.yaml"):
            path.unlink(missing_ok=True)
        platform.wait_until(
            lambda: not platform.objects("fineTunes") and not platform.answers("styled"), what="removal"
        )


def test_the_adapter_answers_under_its_name(trained: Platform) -> None:
    client = openai.OpenAI(base_url=trained.url, api_key=trained.keys["acme"], max_retries=0)
    messages: Any = [{"role": "user", "content": "hello"}]
    answer = client.chat.completions.create(model="styled", messages=messages, max_tokens=8)
    assert answer.choices[0].message.content


def test_the_result_is_what_the_adapter_serves(trained: Platform) -> None:
    result = _stored(trained, "fineTunes", "style")["status"]["result"]
    adapter = _stored(trained, "adapters", "styled")
    assert adapter["status"]["active"]["digest"] == result["digest"]
    assert adapter["spec"]["source"] == "finetune://style"
    assert Path(result["source"], "lineage.json").is_file()
    assert not list((trained.root / ".quiver/jobs/acme/runs").glob("*/data.jsonl"))


def test_an_evaluation_compares_base_and_adapter(trained: Platform) -> None:
    variants = [
        {"name": "base", "model": "quiver-demo"},
        *({"name": name, "model": name, "grounded": False} for name in ("styled", "support")),
    ]
    item = _object("Evaluation", "comparison", metric="f1", maxTokens=48, variants=variants,
                   questions={"source": "./documents/acme/training/questions.jsonl"})  # fmt: skip
    (trained.root / "comparison.yaml").write_text(yaml.safe_dump(item))
    trained.wait_until(lambda: is_ready(_stored(trained, "evaluations", "comparison")), what="comparison")
    result = _stored(trained, "evaluations", "comparison")["status"]["result"]
    scores = {each["name"]: each["score"] for each in result["variants"]}
    assert scores["support"] > scores["base"]  # it has learned that style
    assert scores["styled"] > 0
    assert result["count"] == 20
    assert "<svg" in Path(result["report"], "report.html").read_text()
    assert result["conclusion"] in _says(trained, "evaluations", "comparison")


def test_a_teachers_answers_are_learned(trained: Platform, questions: list[Example]) -> None:
    asked = "".join(json.dumps({"question": each.question}) + "\n" for each in questions[:40])
    (trained.root / "documents/acme/training/asked.jsonl").write_text(asked)
    tune = _object("FineTune", "taught", baseModel="quiver-demo", hyperparameters={**RECIPE, "epochs": 1},
                   teacher={"model": "quiver-demo", "knowledgeBases": ["facts"]},
                   data={"source": "./documents/acme/training/asked.jsonl"})  # fmt: skip
    file = trained.root / "taught.yaml"
    file.write_text(yaml.safe_dump(tune))
    try:
        trained.wait_until(lambda: is_ready(_stored(trained, "fineTunes", "taught")), what="lesson")
        status = _stored(trained, "fineTunes", "taught")["status"]
        assert status["training"]["answers"] == status["training"]["questions"] == 40
        rows_learned = int(status["result"]["teacher"].partition(" rows")[0])
        assert 20 < rows_learned <= 40
        assert status["result"]["rows"] + status["result"]["heldOutRows"] <= rows_learned
        left = (trained.root / ".quiver/jobs/acme/runs").glob("finetune.taught.*/*.jsonl")
        assert not list(left)  # neither questions nor answers stay
    finally:
        file.unlink()
        trained.wait_until(lambda: len(trained.objects("fineTunes")) == 1, what="removal")


def test_faults_of_the_examples_are_said_on_the_object(trained: Platform) -> None:
    (trained.root / "documents/acme/training/bad.jsonl").write_text("{}\n" * 12)
    bad = _object("FineTune", "bad", baseModel="quiver-demo", data={"source": "./documents/acme/training/bad.jsonl"})
    gone = _object("FineTune", "gone", baseModel="quiver-demo", data={"source": "upload://file-0"})
    foreign = _object("FineTune", "foreign", baseModel="quiver-demo", data={"source": "./documents/globex/x.jsonl"})
    file = trained.root / "wrong.yaml"
    file.write_text(yaml.safe_dump_all([bad, gone, foreign]))
    try:
        trained.wait_until(lambda: "12 faults" in _says(trained, "fineTunes", "bad"), what="word about the faults")
        trained.wait_until(lambda: "no uploaded file file-0" in _says(trained, "fineTunes", "gone"), what="word on it")
        assert _says(trained, "fineTunes", "foreign").startswith("SourceNotOwn")
    finally:
        file.unlink()
        trained.wait_until(lambda: len(trained.objects("fineTunes")) == 1, what="removal")
