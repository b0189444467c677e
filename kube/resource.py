"""Resources of an API server and their paths (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract.adapter_slice import AdapterSlice
from contract.names import GROUP, VERSION
from contract.objects import KINDS


@dataclass(frozen=True)
class Resource:
    """`group` is empty for the core kinds."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """The path of all objects of this kind, of those in a namespace, of one object, or of its subresource."""
        parts = ["/apis" if self.group else "/api", self.api_version]
        parts += ["namespaces", namespace] if self.namespaced and namespace else []
        parts += [self.plural, *(part for part in (name, subresource) if part)]
        return "/".join(parts)

    def path_of(self, item: Mapping[str, Any], subresource: str | None = None) -> str:
        metadata = item["metadata"]
        return self.path(metadata.get("namespace"), metadata["name"], subresource)


OURS = tuple(
    Resource(GROUP, VERSION, kind.definition.plural, kind.__name__, kind.definition.namespaced) for kind in KINDS
)

ADAPTER_SLICES = Resource(
    GROUP, VERSION, AdapterSlice.definition.plural, AdapterSlice.__name__, AdapterSlice.definition.namespaced
)
PODS = Resource("", "v1", "pods", "Pod")
SERVICES = Resource("", "v1", "services", "Service")
SECRETS = Resource("", "v1", "secrets", "Secret")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
EVENTS = Resource("", "v1", "events", "Event")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
JOBS = Resource("batch", "v1", "jobs", "Job")
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
AUTOSCALERS = Resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
DISRUPTION_BUDGETS = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
CLAIMS = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")
NETWORK_POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
INFERENCE_SERVICES = Resource("serving.kserve.io", "v1beta1", "inferenceservices", "InferenceService")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")

DEFINITIONS = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
API_SERVICES = Resource("apiregistration.k8s.io", "v1", "apiservices", "APIService", namespaced=False)
SERVER = Resource("", "", "", "Server", namespaced=False)  # the API server itself

_ALL = (*OURS, ADAPTER_SLICES, PODS, SERVICES, SECRETS, NAMESPACES, EVENTS, CONFIG_MAPS, ROLE_BINDINGS, JOBS,
        DEPLOYMENTS, AUTOSCALERS, DISRUPTION_BUDGETS, NETWORK_POLICIES, QUOTAS, CLAIMS, INFERENCE_SERVICES,
        LEASES)  # fmt: skip
BY_KIND: Mapping[str, Resource] = {resource.kind: resource for resource in _ALL}
