"""What `quiver doctor cluster` says of the facts of an API server."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from contract.base_model import Autoscaling, BaseModel
from operators.check import Check
from operators.cluster.doctor import Facts, checks
from tests.operators import objects

NOW = datetime(2026, 11, 1, tzinfo=UTC)
LABELS = {"app.kubernetes.io/name": "quiver", "app.kubernetes.io/component": "operator"}
KINDS = ("basemodels", "tenants", "adapters", "knowledgebases", "finetunes", "evaluations", "apikeys")


def _deployment(ready: int, *, namespace: str = "quiver") -> dict[str, Any]:
    metadata = {"name": "quiver-operator", "namespace": namespace, "labels": LABELS}
    spec = {"replicas": 2, "selector": {"matchLabels": LABELS}}
    return {"metadata": metadata, "spec": spec, "status": {"readyReplicas": ready}}


def _lease(seconds: float) -> dict[str, Any]:
    renewed = (NOW - timedelta(seconds=seconds)).isoformat()
    metadata = {"name": "quiver-operator", "namespace": "quiver"}
    return {"metadata": metadata, "spec": {"holderIdentity": "one", "renewTime": renewed}}


WELL = Facts(
    version="v1.34.4",
    definitions=frozenset(f"{plural}.quiver.dev" for plural in KINDS),
    deployments=(_deployment(2),),
    pods=(),
    claims=({"metadata": {"name": "quiver-milvus", "namespace": "quiver"}, "status": {"phase": "Bound"}},),
    leases=(_lease(2),),
    api_services=(),
    objects=(),
    unread=(),
)


def _failing(facts: Facts) -> list[Check]:
    return [check for check in checks(facts, NOW) if not check.holds]


def test_an_installation_that_works_has_nothing_to_remedy() -> None:
    assert _failing(WELL) == []


def test_what_does_not_hold_is_a_fact_with_a_remedy() -> None:
    for broken, what, words in (
        ({"version": "v1.29.1"}, "cluster", "1.30 or newer"),
        ({"definitions": frozenset({"tenants.quiver.dev"})}, "definitions", "crds.enabled"),
        ({"deployments": ()}, "installation", "helm install"),
        ({"deployments": (_deployment(1),)}, "quiver-operator", "describe deployment quiver-operator"),
        ({"leases": (_lease(40),)}, "leader", "logs deployment/quiver-operator"),
        ({"leases": ()}, "leader", "logs deployment/quiver-operator"),
        ({"unread": ("pods: forbidden",)}, "rights", "ask as somebody who may read it"),
    ):
        (check,) = _failing(replace(WELL, **broken))
        assert check.what == what
        assert words in check.remedy


def test_two_installations_of_a_cluster_are_named() -> None:
    facts = replace(WELL, deployments=(_deployment(2), _deployment(2, namespace="other")))
    assert "operators in quiver, other" in {check.fact for check in _failing(facts)}


def test_a_pod_that_does_not_start_says_why() -> None:
    waiting = {"reason": "ImagePullBackOff", "message": "no such image"}
    status = {"containerStatuses": [{"name": "operator", "ready": False, "state": {"waiting": waiting}}]}
    metadata = {"name": "quiver-operator-1", "namespace": "quiver", "uid": "u", "labels": LABELS}
    facts = replace(WELL, deployments=(_deployment(1),), pods=({"metadata": metadata, "status": status},))
    (check,) = _failing(facts)
    assert check.fact.startswith("1 of 2 are ready; container operator of pod quiver-operator-1: ImagePullBackOff")


def test_a_volume_that_is_not_there_is_named() -> None:
    claim = {"metadata": {"name": "quiver-milvus", "namespace": "quiver"}, "status": {"phase": "Pending"}}
    (check,) = _failing(replace(WELL, claims=(claim,)))
    assert (check.what, check.fact) == ("claim quiver-milvus", "Pending")


def test_a_base_model_that_scales_needs_both_metrics_apis() -> None:
    base = objects.base_model()
    assert isinstance(base, BaseModel)
    spec = base.spec.model_copy(update={"autoscaling": Autoscaling(max_replicas=3, tokens_in_flight=1000)})
    base = base.model_copy(update={"spec": spec})
    custom = {
        "metadata": {"name": "v1beta1.custom.metrics.k8s.io"},
        "status": {"conditions": [{"type": "Available", "status": "True"}]},
    }
    facts = replace(WELL, objects=(base,), api_services=(custom,))
    (check,) = (check for check in _failing(facts) if check.what == "autoscaling")
    assert "v1beta1.external.metrics.k8s.io not served" in check.fact
