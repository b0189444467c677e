"""What runs engines on a cluster: safe by default, and changed only by what vLLM is started with."""

from dataclasses import replace
from typing import Any

import pytest

from contract.base_model import BaseModel
from operators.desired.differences import covers
from operators.desired.engine_workload import Manifest, Platform, engine_workload
from tests.operators import objects

PLATFORM = Platform(namespace="quiver", engine_image="engine:1", agent_image="agent:1", models="models")


def _made(platform: Platform = PLATFORM, **spec: Any) -> dict[str, Manifest]:
    base = objects.base_model(**spec)
    assert isinstance(base, BaseModel)
    return {item["kind"]: item for item in engine_workload(base, uid="u", platform=platform)}


def _pod(**spec: Any) -> Manifest:
    pod: Manifest = _made(**spec)["Deployment"]["spec"]["template"]["spec"]
    return pod


def test_every_object_belongs_to_the_base_model_and_lies_with_the_platform() -> None:
    for item in _made(autoscaling={"maxReplicas": 2}).values():
        assert item["metadata"]["namespace"] == "quiver"
        assert [owner["uid"] for owner in item["metadata"]["ownerReferences"]] == ["u"]


def test_pods_have_no_token_and_no_rights() -> None:
    pod = _pod()
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}


def test_no_secret_stands_in_a_pod() -> None:
    for container in _pod()["containers"]:
        keys = [item for item in container["env"] if "KEY" in item["name"] or "TOKEN" in item["name"]]
        assert keys
        assert all("valueFrom" in item for item in keys)


def test_an_engine_is_taken_away_only_when_another_is_ready_and_after_it_has_answered() -> None:
    made = _made()["Deployment"]["spec"]
    assert made["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    for container in made["template"]["spec"]["containers"]:
        assert container["lifecycle"]["preStop"]["httpGet"]["path"] == "/drained"


def test_on_a_full_pool_an_engine_makes_room_for_the_next() -> None:
    strategy = _made(strategy={"maxSurge": 0, "maxUnavailable": 1})["Deployment"]["spec"]["strategy"]
    assert strategy["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


def test_a_platform_team_adds_to_a_pod_and_replaces_nothing_of_ours() -> None:
    pod = {"labels": {"team": "ml"}, "annotations": {"prometheus.io/scrape": "true"},
           "nodeSelector": {"gpu": "l4", "zone": "b"}, "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
           "affinity": {"nodeAffinity": {}}, "topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 1}],
           "runtimeClassName": "nvidia", "priorityClassName": "high", "serviceAccountName": "models",
           "env": [{"name": "HF_TOKEN", "secret": "hub", "key": "token"}],
           "volumes": [{"name": "cache", "claim": "llama"}], "startSeconds": 3600, "sharedMemory": "8Gi"}  # fmt: skip
    platform = replace(PLATFORM, node_selector={"gpu": "any", "arch": "amd64"}, hub_secret="platform-hub",
                       tolerations=({"key": "spot", "operator": "Exists"},))  # fmt: skip
    deployment = _made(platform, pod=pod)["Deployment"]["spec"]
    template, plain = deployment["template"], _made(platform)["Deployment"]["spec"]["template"]
    assert template["metadata"]["labels"] == {"team": "ml", **plain["metadata"]["labels"]}
    spec, engine = template["spec"], template["spec"]["containers"][0]
    assert spec["nodeSelector"] == {"gpu": "l4", "zone": "b", "arch": "amd64"}
    assert [each["key"] for each in spec["tolerations"]] == ["spot", "nvidia.com/gpu"]
    assert spec["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"] == deployment["selector"]["matchLabels"]
    names = ("runtimeClassName", "priorityClassName", "serviceAccountName")
    assert [spec[name] for name in names] == ["nvidia", "high", "models"]
    assert [each["valueFrom"]["secretKeyRef"]["name"] for each in engine["env"] if each["name"] == "HF_TOKEN"] == [
        "hub"
    ]
    assert {"name": "volume-cache", "mountPath": "/volumes/cache", "readOnly": True} in engine["volumeMounts"]
    assert {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "8Gi"}} in spec["volumes"]
    assert engine["startupProbe"]["failureThreshold"] * engine["startupProbe"]["periodSeconds"] == 3600
    assert deployment["progressDeadlineSeconds"] > 3600
    assert spec["securityContext"] == plain["spec"]["securityContext"]
    assert engine["securityContext"] == plain["spec"]["containers"][0]["securityContext"]


@pytest.mark.parametrize(
    "spec",
    [
        {"pod": {"nodeSelector": {"gpu": "l4"}}},
        {"pod": {"labels": {"team": "ml"}}},
        {"pod": {"tolerations": [{"operator": "Exists"}]}},
        {"pod": {"sharedMemory": "8Gi"}},
        {"resources": {"limits": {"memory": "8Gi"}}},
    ],
)
def test_what_is_no_longer_wanted_is_taken_away(spec: dict[str, Any]) -> None:
    """The API server drops a field that its manager no longer applies; so there has to be an apply."""
    before, after = _made(**spec)["Deployment"], _made()["Deployment"]
    assert not covers(before, after)
    assert covers(after, after)


@pytest.mark.parametrize(
    "change",
    [
        {"tenants": ["acme"]},
        {"servedNames": ["org/llm"]},
        {"replicas": 3},
        {"autoscaling": {"maxReplicas": 3}},
        {"strategy": {"maxSurge": 2}},
    ],
)
def test_what_is_no_matter_of_vllm_starts_no_engine_anew(change: dict[str, Any]) -> None:
    assert _pod(**change) == _pod()


@pytest.mark.parametrize(
    "change",
    [{"engineArgs": ["--seed=1"]}, {"engineEnv": {"HF_HUB_OFFLINE": "1"}}, {"lora": {"slots": 2}}, {"image": "other"},
     {"resources": {"limits": {"nvidia.com/gpu": "1"}}}],
)  # fmt: skip
def test_what_vllm_is_started_with_starts_it_anew(change: dict[str, Any]) -> None:
    assert _pod(**change) != _pod()


def test_replicas_are_left_to_an_autoscaler_where_there_is_one() -> None:
    assert _made(replicas=3)["Deployment"]["spec"]["replicas"] == 3
    scaled = _made(replicas=3, autoscaling={"minReplicas": 2, "maxReplicas": 4, "queueDepth": 5})
    assert "replicas" not in scaled["Deployment"]["spec"]
    spec = scaled["HorizontalPodAutoscaler"]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 4)
    assert spec["metrics"][0]["pods"]["target"]["averageValue"] == "5"


@pytest.mark.parametrize(
    ("there", "desired", "holds"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({}, {"a": None}, False),
        ({"list": [{"name": "x", "more": 1}]}, {"list": [{"name": "x"}]}, True),
        ({"list": [1, 2]}, {"list": [1]}, False),
        ({"list": "ab"}, {"list": ["a", "b"]}, False),
        ("ab", "ab", True),
    ],
)
def test_what_others_have_added_is_theirs(there: Any, desired: Any, holds: bool) -> None:
    assert covers(there, desired) is holds


def test_kserve_runs_the_pods_that_a_deployment_would() -> None:
    made = _made(runtime="KServe", replicas=2)
    assert "Deployment" not in made
    predictor = made["InferenceService"]["spec"]["predictor"]
    pod = _pod(replicas=2)
    engine, agent = predictor["containers"]
    assert engine == {**pod["containers"][0], "name": "kserve-container"}
    assert agent == pod["containers"][1]
    assert {**predictor, "containers": pod["containers"]}.items() >= pod.items()
    assert (predictor["minReplicas"], predictor["maxReplicas"]) == (2, 2)


@pytest.mark.parametrize(("runtime", "target"), [("Deployment", "engine-base"), ("KServe", "engine-base-predictor")])
def test_an_autoscaler_looks_at_queues_and_at_tokens_under_way(runtime: str, target: str) -> None:
    made = _made(runtime=runtime, autoscaling={"maxReplicas": 4, "queueDepth": 5, "tokensInFlight": 9000})
    spec = made["HorizontalPodAutoscaler"]["spec"]
    assert spec["scaleTargetRef"]["name"] == target
    queue, tokens = spec["metrics"]
    assert queue["pods"]["target"]["averageValue"] == "5"
    assert tokens["external"]["target"]["averageValue"] == "9000"
    assert tokens["external"]["metric"]["selector"]["matchLabels"] == {"base_model": "base"}


def test_a_model_on_a_claim_is_read_where_the_claim_is_mounted() -> None:
    engine, agent = _pod(source="pvc://models/llama")["containers"]
    assert "/models/models/llama" in engine["command"]
    assert {"name": "QUIVER_AGENT_BASE_SOURCE", "value": "/models/models/llama"} in agent["env"]
    for container in (engine, agent):
        assert {"name": "models", "mountPath": "/models/models", "readOnly": True} in container["volumeMounts"]


def test_on_openshift_a_pod_names_no_user() -> None:
    base = objects.base_model()
    assert isinstance(base, BaseModel)
    platform = Platform(namespace="quiver", engine_image="e", agent_image="a", openshift=True)
    context = engine_workload(base, uid="u", platform=platform)[0]["spec"]["template"]["spec"]["securityContext"]
    assert context == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def test_where_engines_run_and_what_they_fetch_with_is_the_platforms_to_say() -> None:
    platform = Platform(
        namespace="quiver", engine_image="e", agent_image="a", pull_policy="Always",
        pull_secrets=("registry",), hub_secret="hub",
        node_selector={"pool": "gpu"}, tolerations=({"key": "gpu", "operator": "Exists"},),
    )  # fmt: skip
    base = objects.base_model()
    assert isinstance(base, BaseModel)
    pod = engine_workload(base, uid="u", platform=platform)[0]["spec"]["template"]["spec"]
    assert pod["imagePullSecrets"] == [{"name": "registry"}]
    assert pod["containers"][1]["imagePullPolicy"] == "Always"
    assert pod["nodeSelector"] == {"pool": "gpu"}
    assert pod["tolerations"] == [{"key": "gpu", "operator": "Exists"}]
    token = next(item for item in pod["containers"][0]["env"] if item["name"] == "HF_TOKEN")
    assert token["valueFrom"]["secretKeyRef"]["name"] == "hub"
    assert not {"imagePullSecrets", "nodeSelector", "tolerations"} & _pod().keys()
