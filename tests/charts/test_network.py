"""Who reaches whom, computed from the rendered policies."""

from collections.abc import Mapping

import pytest

from contract.base_model import BaseModel
from operators.desired.engine_workload import Platform, engine_workload
from tests.charts.helm import PROFILES, Manifest, of_kind, pods
from tests.operators import objects

NAME, COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/component"
PARTS = (
    "gateway",
    "operator",
    "engine",
    "trainer",
    "model-cache",
    "retrieval",
    "ingest",
    "milvus",
    "drift",
    "test",
    "management",
    "console",
)
PORTS = {
    "gateway": (8080, 8081), "operator": (9500,), "engine": (8000, 9400), "trainer": (), "model-cache": (),
    "retrieval": (8310,),
    "ingest": (8311,), "milvus": (19530,), "drift": (8400,), "test": (), "management": (9600,), "console": (8090,),
}  # fmt: skip

ALLOWED = {
    ("gateway", "engine", 8000), ("operator", "engine", 9400),
    ("gateway", "retrieval", 8310), ("gateway", "ingest", 8311), ("gateway", "drift", 8400),
    ("operator", "drift", 8400), ("trainer", "gateway", 8080),
    ("operator", "gateway", 8081), ("operator", "ingest", 8311), ("test", "gateway", 8080),
    ("console", "management", 9600), ("management", "gateway", 8080),
    ("retrieval", "milvus", 19530), ("ingest", "milvus", 19530),
}  # fmt: skip


def _labels(part: str) -> dict[str, str]:
    return {NAME: "quiver", COMPONENT: part}


def _matches(selector: Manifest, labels: Mapping[str, str]) -> bool:
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


def _allows(rules: list[Manifest], field: str, labels: Mapping[str, str], port: int) -> bool:
    """https://kubernetes.io/docs/concepts/services-networking/network-policies/"""
    for rule in rules:
        ports = [item["port"] for item in rule.get("ports", ())]
        peers = rule.get(field)
        fits = peers is None or any(
            "namespaceSelector" not in peer and _matches(peer.get("podSelector", {}), labels) for peer in peers
        )
        if fits and (not ports or port in ports):
            return True
    return False


def _reaches(policies: list[Manifest], who: str, whom: str, port: int) -> bool:
    def of(part: str) -> list[Manifest]:
        return [p["spec"] for p in policies if _matches(p["spec"]["podSelector"], _labels(part))]

    out = any(_allows(spec.get("egress") or [], "to", _labels(whom), port) for spec in of(who))
    into = any(_allows(spec.get("ingress") or [], "from", _labels(who), port) for spec in of(whom))
    return (out or not of(who)) and (into or not of(whom))


@pytest.fixture(scope="module")
def policies() -> list[Manifest]:
    return list(of_kind("default", "NetworkPolicy", "tuning.enabled=true").values())


def test_each_part_reaches_what_it_needs_and_nothing_else(policies: list[Manifest]) -> None:
    reached = {
        (who, whom, port)
        for who in PARTS
        for whom in PARTS
        for port in PORTS[whom]
        if who != whom and _reaches(policies, who, whom, port)
    }
    assert reached == ALLOWED


def test_strangers_reach_the_gateway_and_the_console_and_nothing_else(policies: list[Manifest]) -> None:
    for part in PARTS:
        for port in PORTS[part]:
            specs = [p["spec"] for p in policies if _matches(p["spec"]["podSelector"], _labels(part))]
            into = any(_allows(spec.get("ingress") or [], "from", {"app": "stranger"}, port) for spec in specs)
            assert into == ((part, port) in (("gateway", 8080), ("console", 8090))), (part, port)


@pytest.mark.parametrize("profile", PROFILES)
def test_pods_have_the_labels_and_ports_that_policies_ask_for(profile: str) -> None:
    base = objects.base_model()
    assert isinstance(base, BaseModel)
    platform = Platform(namespace="quiver", engine_image="e", agent_image="a")
    engine = engine_workload(base, uid="u", platform=platform)[0]["spec"]["template"]
    for name, pod in {**pods(profile), "quiver-engine": engine}.items():
        part = name.removeprefix("quiver-")
        assert _labels(part).items() <= pod["metadata"]["labels"].items(), name
        declared = {p["containerPort"] for c in pod["spec"]["containers"] for p in c.get("ports", ())}
        assert declared == set(PORTS[part]), name


def test_every_pod_of_ours_is_under_a_policy(policies: list[Manifest]) -> None:
    (denied,) = (p["spec"] for p in policies if "ingress" not in p["spec"] and "egress" not in p["spec"])
    assert all(_matches(denied["podSelector"], _labels(part)) for part in PARTS)
    assert set(denied["policyTypes"]) == {"Ingress", "Egress"}


def test_where_callers_are_named_the_charts_own_test_still_gets_through() -> None:
    named = of_kind("default", "NetworkPolicy", "gateway.allowFrom[0].podSelector.matchLabels.app=web")
    policies = list(named.values())
    assert _reaches(policies, "test", "gateway", 8080)
    gateway = named["quiver-gateway"]["spec"]["ingress"]
    assert not _allows(gateway, "from", {"app": "stranger"}, 8080)
    assert _allows(gateway, "from", {"app": "web"}, 8080)


def test_metrics_are_for_the_namespace_that_is_named() -> None:
    named = of_kind("ha", "NetworkPolicy")["quiver-engine"]["spec"]["ingress"]
    peers = [peer for rule in named for peer in rule["from"]]
    assert {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}} in peers


def test_our_own_callers_reach_a_gateway_that_is_open_to_some() -> None:
    some = "gateway.allowFrom[0].podSelector.matchLabels.app=web"
    policies = list(of_kind("default", "NetworkPolicy", "tuning.enabled=true", some).values())
    for part in ("trainer", "management", "test"):
        assert _reaches(policies, part, "gateway", 8080), part
    assert not _reaches(policies, "stranger", "gateway", 8080)
