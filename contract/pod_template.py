"""What a platform team adds to the pods of a base model's engines. Quiver's own settings cannot be replaced."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, WithJsonSchema, model_validator

from contract.quantity import Quantity
from contract.value import Value

# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
LabelKey = Annotated[str, StringConstraints(pattern=rf"^([a-z0-9]([-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_NAME}$")]
LabelValue = Annotated[str, StringConstraints(pattern=rf"^({_NAME})?$", max_length=63)]
Annotation = Annotated[str, StringConstraints(max_length=4096)]
# Credentials for fetching a model. Others of these libraries' variables name files, commands or servers.
SecretName = Literal[
    "HF_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION",
    "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID",
]  # fmt: skip
# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names
ObjectName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$", max_length=253)]
# An object of Kubernetes, which the API server checks.
Free = Annotated[Mapping[str, Any], WithJsonSchema({"type": "object", "x-kubernetes-preserve-unknown-fields": True})]

# Domains of labels and annotations set by Quiver, or weakening the isolation of a pod.
RESERVED = (
    "^([-a-z0-9.]+[.])?(app[.]kubernetes[.]io|quiver[.]dev|kserve[.]io|security[.]beta[.]kubernetes[.]io"
    "|security[.]alpha[.]kubernetes[.]io|k8s[.]v1[.]cni[.]cncf[.]io)/"
)
NOT_YOURS = (
    "labels and annotations under app.kubernetes.io, quiver.dev and kserve.io are Quiver's, and none may change the "
    "security or the networks of a pod; choose other ones"
)
ONE_NAME = "two have the same name; give each a name of its own"
NO_MOVE = "maxSurge or maxUnavailable must be at least 1, or no engine can be replaced"
START_S = 1800


class Toleration(Value):
    """A tolerated taint of nodes."""

    key: Annotated[str, StringConstraints(max_length=316)] = ""
    """The taint's key; empty for all."""
    operator: Literal["Equal", "Exists"] = "Equal"
    """Equal compares the value, Exists does not."""
    value: LabelValue = ""
    """The taint's value."""
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = ""
    """The taint's effect; empty for all."""
    toleration_seconds: Annotated[int, Field(ge=0)] | None = None
    """How long a pod stays under NoExecute; for ever without it."""


class SecretVariable(Value):
    """A variable of the engine with a value from a Secret."""

    name: SecretName
    """A credential for fetching a model."""
    secret: ObjectName
    """A Secret in the platform's namespace."""
    key: Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z0-9]{1,253}$")]
    """The Secret's key."""


class Volume(Value):
    """A claim for the engine to read."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,54}[a-z0-9])?$", max_length=56)]
    """It is mounted at /volumes/NAME."""
    claim: ObjectName
    """A PersistentVolumeClaim in the platform's namespace."""
    read_only: bool = True
    """False lets the engine write to it."""


class PodTemplate(Value):
    """Additions to the engines' pods."""

    labels: Annotated[Mapping[LabelKey, LabelValue], Field(max_length=32)] = {}
    """Labels of the pods."""
    annotations: Annotated[Mapping[LabelKey, Annotation], Field(max_length=32)] = {}
    """Annotations of the pods."""
    node_selector: Annotated[Mapping[LabelKey, LabelValue], Field(max_length=32)] = {}
    """Labels of the nodes, beside the platform's."""
    tolerations: Annotated[tuple[Toleration, ...], Field(max_length=32)] = ()
    """Taints of nodes that the pods tolerate, beside the platform's."""
    affinity: Free | None = None
    """Kubernetes' affinity of pods."""
    topology_spread_constraints: Annotated[tuple[Free, ...], Field(max_length=8)] = ()
    """How pods are spread over zones and nodes, in Kubernetes' form. Without labelSelector, that of the engines."""
    runtime_class_name: ObjectName | None = None
    """The RuntimeClass, such as nvidia."""
    priority_class_name: ObjectName | None = None
    """The PriorityClass."""
    service_account_name: ObjectName | None = None
    """The identity of the pods in clouds; by default the platform's. No token of the cluster is mounted."""
    env: Annotated[tuple[SecretVariable, ...], Field(max_length=32)] = ()
    """Variables of the engine from Secrets."""
    volumes: Annotated[tuple[Volume, ...], Field(max_length=16)] = ()
    """Claims that the engine reads."""
    start_seconds: Annotated[int, Field(ge=60, le=86400)] = START_S
    """The longest start of an engine: fetching, loading and compiling."""
    shared_memory: Quantity | None = None
    """The limit of /dev/shm; it counts as the engine's memory. Without it, the engine's memory limit alone holds."""

    @model_validator(mode="after")
    def _is_sound(self) -> "PodTemplate":
        if any(re.match(RESERVED, key) for key in (*self.labels, *self.annotations)):
            raise ValueError(NOT_YOURS)
        for field, names in (("env", [each.name for each in self.env]), ("volumes", [v.name for v in self.volumes])):
            if len(set(names)) < len(names):
                raise ValueError(f"{field}: {ONE_NAME}")
        return self


class Strategy(Value):
    """How engines are replaced when something changes that they are started with."""

    max_surge: Annotated[int, Field(ge=0, le=100)] = 1
    """Engines that may run beyond the wanted number meanwhile."""
    max_unavailable: Annotated[int, Field(ge=0, le=100)] = 0
    """Engines that may be missing meanwhile. On a pool without room for another one: maxSurge 0, maxUnavailable 1."""

    @model_validator(mode="after")
    def _moves(self) -> "Strategy":
        if not self.max_surge and not self.max_unavailable:
            raise ValueError(NO_MOVE)
        return self
