"""A tenant → the objects reserving a namespace for it (pure)."""

from dataclasses import dataclass

from contract.names import API_VERSION
from contract.names import GROUP as OURS
from contract.tenant import Tenant
from operators.desired.engine_workload import MANAGED_BY, OPERATOR, Manifest

TENANT = "quiver.dev/tenant"
# The rights of a tenant's people, in a ClusterRole of the chart.
ROLE = "quiver-tenant"
GROUP = "rbac.authorization.k8s.io"
# Of each kind that a tenant has no limit of its own for.
MOST_OBJECTS = 1000


@dataclass(frozen=True)
class Account:
    """A service account."""

    namespace: str
    name: str


def tenant_namespace(
    tenant: Tenant, *, uid: str, management: Account | None = None, with_quota: bool = False
) -> tuple[Manifest, ...]:
    """`management` is the management API's account, which has the tenant's own role there, and no other. The namespace
    is not owned by the Tenant, because other objects in it are not ours to delete."""
    made = (_namespace(tenant), _network_policy(tenant, uid), _role_binding(tenant, uid, management))
    return (*made, _quota(tenant, uid)) if with_quota else made


def people(tenant: str) -> str:
    """The group of the tenant's people."""
    return f"quiver:tenant:{tenant}"


def _namespace(tenant: Tenant) -> Manifest:
    labels = {TENANT: tenant.name, MANAGED_BY: OPERATOR, "pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": tenant.spec.namespace, "labels": labels}}


def _network_policy(tenant: Tenant, uid: str) -> Manifest:
    """Denies access to the tenant's pods by default; the tenant may allow it."""
    spec = {"podSelector": {}, "policyTypes": ["Ingress"]}
    return {**_owned("networking.k8s.io/v1", "NetworkPolicy", "quiver-deny-ingress", tenant, uid), "spec": spec}


def _quota(tenant: Tenant, uid: str) -> Manifest:
    """Bounds the objects of a tenant in the API server. Twice its adapters: those beyond `maxAdapters` are
    refused with the reason in their status."""
    counts = {
        **{f"{plural}.{OURS}": MOST_OBJECTS for plural in ("apikeys", "evaluations", "finetunes", "knowledgebases")},
        f"adapters.{OURS}": 2 * tenant.spec.max_adapters,
        "secrets": MOST_OBJECTS,
    }
    hard = {f"count/{resource}": _quantity(count) for resource, count in counts.items()}
    return {**_owned("v1", "ResourceQuota", "quiver-tenant", tenant, uid), "spec": {"hard": hard}}


def _quantity(count: int) -> str:
    """As an API server writes it (1k for 1000): any other form is a difference for ever."""
    suffixes = iter(("k", "M", "G"))
    suffix = ""
    while count and count % 1000 == 0:
        count, suffix = count // 1000, next(suffixes)
    return f"{count}{suffix}"


def _role_binding(tenant: Tenant, uid: str, management: Account | None) -> Manifest:
    subjects = [{"apiGroup": GROUP, "kind": "Group", "name": people(tenant.name)}]
    if management:
        subjects.append({"kind": "ServiceAccount", "name": management.name, "namespace": management.namespace})
    role = {"apiGroup": GROUP, "kind": "ClusterRole", "name": ROLE}
    binding = _owned(f"{GROUP}/v1", "RoleBinding", ROLE, tenant, uid)
    return {**binding, "roleRef": role, "subjects": subjects}


def _owned(api_version: str, kind: str, name: str, tenant: Tenant, uid: str) -> Manifest:
    owner = {"apiVersion": API_VERSION, "kind": "Tenant", "name": tenant.name, "uid": uid, "controller": True,
             "blockOwnerDeletion": True}  # fmt: skip
    metadata = {
        "name": name,
        "namespace": tenant.spec.namespace,
        "labels": {TENANT: tenant.name, MANAGED_BY: OPERATOR},
        "ownerReferences": [owner],
    }
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}
