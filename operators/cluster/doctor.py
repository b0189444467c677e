"""Faults of an installation on a cluster, with remedies."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from contract.base_model import BaseModel
from contract.conditions import ASKING, QUEUED, READY, TRAINING, decisive, holds
from contract.objects import KINDS, AnyObject, InvalidObjectError, parse_stored
from kube.client import Client, Item
from kube.errors import KubeError
from kube.resource import API_SERVICES, CLAIMS, DEFINITIONS, DEPLOYMENTS, LEASES, OURS, PODS, Resource
from operators.check import Check
from operators.cluster.pod import Ports, read_pod
from operators.cluster.session import ask
from operators.desired.engine_workload import COMPONENT, NAME

OLDEST = (1, 30)
LEASE = "quiver-operator"
LEASE_S = 30  # twice as long as a lease lasts
CUSTOM_METRICS, EXTERNAL_METRICS = "v1beta1.custom.metrics.k8s.io", "v1beta1.external.metrics.k8s.io"
# A running training or evaluation is no fault.
WORKING = frozenset({TRAINING, ASKING, QUEUED})
_PORTS = Ports(engine=0, agent=0, gateway=0)


@dataclass(frozen=True)
class Facts:
    """What the API server says. `unread` are the kinds that the caller may not read, with the refusal."""

    version: str
    definitions: frozenset[str]
    deployments: tuple[Item, ...]
    pods: tuple[Item, ...]
    claims: tuple[Item, ...]
    leases: tuple[Item, ...]
    api_services: tuple[Item, ...]
    objects: tuple[AnyObject, ...]
    unread: tuple[str, ...]


def examine(kubeconfig: Path) -> Sequence[Check]:
    """Raises KubeError if the API server does not answer, and ConfigurationError."""
    return list(checks(ask(kubeconfig, _facts), datetime.now(UTC)))


async def _facts(client: Client) -> Facts:
    unread: list[str] = []

    async def items(resource: Resource, selector: str = "") -> tuple[Item, ...]:
        try:
            return tuple((await client.list(resource, selector=selector))[0])
        except KubeError as error:
            if error.status != 404:  # a definition that is not there is a fact of its own
                unread.append(f"{resource.plural}: {error.message}")
            return ()

    ours = f"{NAME}=quiver"
    return Facts(
        version=await client.version(),
        definitions=frozenset(item["metadata"]["name"] for item in await items(DEFINITIONS)),
        deployments=await items(DEPLOYMENTS, ours),
        pods=await items(PODS, ours),
        claims=await items(CLAIMS, ours),
        leases=await items(LEASES),
        api_services=await items(API_SERVICES),
        objects=tuple(_readable([item for resource in OURS for item in await items(resource)])),
        unread=tuple(unread),
    )


def _readable(items: Sequence[Item]) -> Iterator[AnyObject]:
    for item in items:
        try:
            yield parse_stored(item)
        except InvalidObjectError:
            continue  # its condition says so already


def checks(facts: Facts, now: datetime) -> Iterator[Check]:
    yield _version(facts.version)
    for refusal in facts.unread:
        yield Check("rights", False, refusal, "ask as somebody who may read it; what follows leaves it out")
    yield _definitions(facts)
    installed = [item for item in facts.deployments if _component(item) == "operator"]
    yield _operator(installed)
    for item in facts.deployments:
        yield _deployment(item, facts.pods)
    for item in installed:
        yield _leader(item["metadata"]["namespace"], facts.leases, now)
    yield from _claims(facts.claims)
    yield from _autoscaling(facts)
    yield from _not_ready(facts.objects)


def _component(item: Item) -> str:
    return str((item["metadata"].get("labels") or {}).get(COMPONENT, ""))


def _version(version: str) -> Check:
    major, minor = (int("".join(filter(str.isdigit, part))) for part in version.lstrip("v").split(".")[:2])
    oldest = ".".join(map(str, OLDEST))
    return Check("cluster", (major, minor) >= OLDEST, f"Kubernetes {version}", f"{oldest} or newer is needed")


def _definitions(facts: Facts) -> Check:
    names = {f"{kind.definition.plural}.quiver.dev" for kind in KINDS}
    missing = sorted(names - facts.definitions)
    fact = f"{', '.join(missing)} missing" if missing else f"{len(names)} kinds are defined"
    return Check("definitions", not missing, fact, "install the chart, with crds.enabled")


def _operator(installed: Sequence[Item]) -> Check:
    places = ", ".join(item["metadata"]["namespace"] for item in installed)
    match len(installed):
        case 1:
            return Check("installation", True, f"in namespace {places}", "")
        case 0:
            return Check("installation", False, "there is no operator", "helm install quiver charts/quiver, see docs")
    return Check("installation", False, f"operators in {places}", "a cluster has one installation: uninstall the rest")


def _deployment(item: Item, pods: Sequence[Item]) -> Check:
    metadata, wanted = item["metadata"], item["spec"].get("replicas", 1)
    ready = item.get("status", {}).get("readyReplicas", 0)
    labels = item["spec"]["selector"]["matchLabels"].items()
    troubles = [
        peer.trouble
        for pod in pods
        if labels <= (pod["metadata"].get("labels") or {}).items()
        and pod["metadata"]["namespace"] == metadata["namespace"]
        and (peer := read_pod(pod, _PORTS))
        and peer.trouble
    ]
    fact = f"{ready} of {wanted} are ready" + "".join(f"; {trouble}" for trouble in troubles[:1])
    remedy = f"kubectl -n {metadata['namespace']} describe deployment {metadata['name']}"
    return Check(metadata["name"], ready >= wanted, fact, remedy)


def _leader(namespace: str, leases: Sequence[Item], now: datetime) -> Check:
    ours = (item for item in leases if _place(item) == (namespace, LEASE))
    spec: Item = next((item["spec"] for item in ours), {})
    holder, renewed = spec.get("holderIdentity"), spec.get("renewTime")
    remedy = f"kubectl -n {namespace} logs deployment/quiver-operator"
    if not (holder and renewed):
        return Check("leader", False, "no operator leads", remedy)
    age = (now - datetime.fromisoformat(renewed)).total_seconds()
    return Check("leader", age < LEASE_S, f"{holder} leads, and said so {max(0, age):.0f} s ago", remedy)


def _place(item: Item) -> tuple[str, str]:
    return item["metadata"]["namespace"], item["metadata"]["name"]


def _claims(claims: Sequence[Item]) -> Iterator[Check]:
    for item in claims:
        phase, name = item.get("status", {}).get("phase", "Pending"), item["metadata"]["name"]
        if phase != "Bound":
            remedy = (
                f"kubectl -n {item['metadata']['namespace']} describe pvc {name}; name a StorageClass in the values"
            )
            yield Check(f"claim {name}", False, phase, remedy)


def _autoscaling(facts: Facts) -> Iterator[Check]:
    """Between zero and one the operator needs no metrics."""
    scalings = [item.spec.autoscaling for item in facts.objects if isinstance(item, BaseModel)]
    grown = [scaling for scaling in scalings if scaling and scaling.max_replicas > 1]
    needed = {CUSTOM_METRICS: bool(grown), EXTERNAL_METRICS: any(scaling.tokens_in_flight for scaling in grown)}
    if not grown:
        return
    available = {
        item["metadata"]["name"]
        for item in facts.api_services
        if any((c["type"], c["status"]) == ("Available", "True") for c in item.get("status", {}).get("conditions", ()))
    }
    missing = [name for name in needed if needed[name] and name not in available]
    fact = f"{', '.join(missing)} not served" if missing else "its metrics are served"
    yield Check("autoscaling", not missing, fact, "install prometheus-adapter (docs/cluster.md)")


def _not_ready(objects: Sequence[AnyObject]) -> Iterator[Check]:
    for item in objects:
        if item.kind != "APIKey" and not holds(item.status.conditions, READY):
            condition = decisive(item.status.conditions)
            if condition and condition.reason in WORKING:
                continue
            name = f"{item.namespace}/{item.name}".lstrip("/")
            fact = f"{condition.reason}: {condition.message}" if condition else "nobody has said anything of it yet"
            yield Check(f"{item.kind} {name}", False, fact, f"quiver describe cluster {item.kind.lower()} {name}")
