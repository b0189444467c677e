"""Each rule of the definitions, on the real server: what it refuses, and what it lets pass."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from contract.definition import Rule
from contract.names import API_VERSION
from contract.objects import KINDS
from tests.api_server.server import ApiServer

Edit = Callable[[dict[str, Any]], Any]

SPECS: dict[str, dict[str, Any]] = {
    "BaseModel": {"source": "hf://org/model", "lora": {"slots": 4, "cpuSlots": 4}, "engineArgs": ["--enforce-eager"],
                  "autoscaling": {"minReplicas": 2, "maxReplicas": 2}},
    "Tenant": {"namespace": "acme"},
    "Adapter": {"baseModel": "base", "source": "s3://bucket/adapter",
                "rollout": {"canary": {"steps": [{"weight": 10}, {"weight": 50}]}}},
    "KnowledgeBase": {"sources": [{"path": "/documents/acme/handbook"}], "web": [{"url": "https://a.example/help/"}]},
    "FineTune": {"baseModel": "base", "data": {"source": "/documents/acme/style.jsonl"},
                 "adapter": {"name": "styled", "rollout": {"canary": {"steps": [{"weight": 10}, {"weight": 50}]}}}},
    "Evaluation": {"questions": {"source": "/documents/acme/questions.jsonl"},
                   "variants": [{"name": "base", "model": "base"}, {"name": "styled", "model": "styled"}]},
    "APIKey": {"sha256": "0" * 64},
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """`wrong` breaks one rule of an object that breaks none; `later` only once it exists."""

    rule: str
    kind: str
    wrong: Edit
    later: bool = False


def _spec(**fields: Any) -> Edit:
    return lambda item: item["spec"].update(fields)


CASES = (
    *(Case("metadata.name", kind, lambda item: item["metadata"].update(name="with.dot")) for kind in SPECS),
    Case("pinned or on demand", "Adapter", _spec(residency={"pinned": True, "mode": "OnDemand"})),
    Case("in no engine's memory", "Adapter", _spec(residency={"replicas": 2, "mode": "OnDemand"})),
    Case("cpuSlots must", "BaseModel", _spec(lora={"slots": 4, "cpuSlots": 3})),
    Case("maxReplicas must", "BaseModel", _spec(autoscaling={"minReplicas": 3, "maxReplicas": 2})),
    Case("at least 1", "BaseModel", _spec(strategy={"maxSurge": 0})),
    Case("only a model of the hub", "BaseModel", _spec(source="/models/base", cache={"size": "1Gi"})),
    Case("KServe keeps at least", "BaseModel",
         _spec(runtime="KServe", autoscaling={"minReplicas": 0, "maxReplicas": 1})),
    Case("choose other ones", "BaseModel", _spec(pod={"labels": {"app.kubernetes.io/name": "x"}})),
    Case("choose other ones", "BaseModel", _spec(pod={"annotations": {"serving.kserve.io/x": "x"}})),
    Case("choose other ones", "BaseModel",
         _spec(pod={"annotations": {"container.apparmor.security.beta.kubernetes.io/engine": "unconfined"}})),
    Case("a name of its own", "BaseModel", _spec(pod={"env": [{"name": "HF_TOKEN", "secret": "a", "key": "b"}] * 2})),
    Case("a name of its own", "BaseModel", _spec(pod={"volumes": [{"name": "a", "claim": "b"}] * 2})),
    Case("keeps its runtime", "BaseModel", _spec(runtime="KServe"), later=True),
    Case("engineArgs may set", "BaseModel", _spec(engineArgs=["--max_loras=9"])),
    Case("engineArgs may set", "BaseModel", _spec(engineArgs=["--worker-cls", "x"])),
    Case("engineEnv may set", "BaseModel", _spec(engineEnv={"LD_PRELOAD": "x"})),
    Case("at most 56", "BaseModel", lambda item: item["metadata"].update(name="n" * 57)),
    Case("does not end with", "BaseModel", lambda item: item["metadata"].update(name="llama-predictor")),
    Case("where the model lies", "BaseModel", _spec(source="ftp://x")),
    Case("no '..'", "BaseModel", _spec(source="pvc://models/../other")),
    Case("a tenant keeps", "Tenant", _spec(namespace="other"), later=True),
    Case("choose a namespace", "Tenant", _spec(namespace="kube-system")),
    Case("name where", "Adapter", _spec(source="/etc")),
    Case("give source", "Adapter", lambda item: item["spec"].pop("source")),
    Case("give source", "Adapter",
         lambda item: (item["spec"].pop("source"), item["spec"].update(prompt={}, digest="a" * 64))),
    Case("show the mark", "Adapter", _spec(prompt={"grounding": "Answer from these passages."})),
    Case("a weight of its own", "Adapter",
         _spec(rollout={"canary": {"steps": [{"weight": 10}, {"weight": 10}]}})),
    Case("must increase", "Adapter", _spec(rollout={"canary": {"steps": [{"weight": 50}, {"weight": 10}]}})),
    Case("an absolute path", "KnowledgeBase", _spec(sources=[{"path": "/documents/acme/.."}])),
    Case("begins with https:// or http://", "KnowledgeBase", _spec(web=[{"url": "ftp://files.example.com/"}])),
    Case("an address of its own", "KnowledgeBase", _spec(web=[{"url": "https://a.example/"}] * 2)),
    Case("name a file", "FineTune", _spec(data={"source": "style.jsonl"})),
    Case("name a file", "FineTune", _spec(data={"source": "/documents/acme/../globex/style.jsonl"})),
    Case("name a file", "FineTune", _spec(data={"source": "upload://vs_1"})),
    Case("search or augmentation", "FineTune", _spec(search={}, augmentation={})),
    Case("{question} once", "FineTune", _spec(augmentation={"templates": ["{question}? {question}"]})),
    Case("{question} once", "FineTune", _spec(augmentation={"templates": ["Say {this}"]})),
    Case("a fully tuned model", "FineTune", _spec(method="Full")),
    Case("name a file", "Evaluation", _spec(questions={"source": "questions.jsonl"})),
    Case("needs a judge", "Evaluation", _spec(metric="judge")),
    Case("no other metric has one", "Evaluation", _spec(metric="exact", judge={"model": "base"})),
    Case("a name of its own", "Evaluation", _spec(variants=[{"name": "base", "model": "base"}] * 2)),
    *(
        Case(rule, "FineTune", _spec(adapter={"name": "styled", "rollout": {"canary": {"steps": steps}}}))
        for rule, steps in (("a weight of its own", [{"weight": 10}, {"weight": 10}]),
                            ("must increase", [{"weight": 50}, {"weight": 10}]))
    ),
    Case("keeps its key", "APIKey", _spec(sha256="1" * 64), later=True),
)  # fmt: skip


def _right(kind: str) -> dict[str, Any]:
    scoped = {} if kind in ("BaseModel", "Tenant") else {"namespace": "default"}
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": f"right-{kind.lower()}", **scoped},
        "spec": copy.deepcopy(SPECS[kind]),
    }


def _refusal(server: ApiServer, item: dict[str, Any]) -> str:
    return server.kubectl(
        "apply", "--server-side", "-f", "-", "--dry-run=server", stdin=yaml.safe_dump(item), check=False
    ).stderr


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}: {case.rule}")
def test_what_a_rule_refuses_and_what_it_lets_pass(server: ApiServer, case: Case) -> None:
    item = _right(case.kind)
    assert _refusal(server, item) == ""
    if case.later:
        server.apply(item)
    case.wrong(item)
    assert case.rule in _refusal(server, item)


def test_no_rule_is_without_a_case() -> None:
    def covers(case: Case, kind: str, rule: Rule) -> bool:
        return case.kind == kind and case.rule in rule.message

    assert [
        rule.message
        for kind in KINDS
        for rule in kind.definition.rules
        if not any(covers(case, kind.__name__, rule) for case in CASES)
    ] == []


def test_an_object_that_the_models_take_is_what_the_server_stores(server: ApiServer) -> None:
    server.apply(_right("Adapter"))
    text = server.kubectl("get", "adapter", "right-adapter", "-n", "default", "-o", "yaml").stdout
    assert yaml.safe_load(text)["spec"]["rollout"]["keepPrevious"] == 1


def test_fields_explain_themselves(server: ApiServer) -> None:
    words = server.kubectl("explain", "adapters.spec.rollout.canary.checks.minRequests").stdout
    assert "before the comparison starts" in words


def test_quantities_need_no_quotes(server: ApiServer) -> None:
    item = _right("BaseModel")
    item["spec"]["resources"] = {"limits": {"nvidia.com/gpu": 1, "cpu": 4, "memory": 1_000_000_000}}
    assert _refusal(server, item) == ""
