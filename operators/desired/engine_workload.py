"""A base model → the objects running its engines on a cluster (pure).

A pod is one replica: vLLM and its agent. The pod template holds only vLLM's start options, so a change of adapters
never restarts an engine.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contract.base_model import BaseModel
from contract.names import API_VERSION
from operators.desired import pod_additions as additions
from operators.desired.engine_vllm import engine_command, on_port
from operators.desired.scaling_metrics import scaling_metrics

Manifest = dict[str, Any]

NAME = "app.kubernetes.io/name"
COMPONENT = "app.kubernetes.io/component"
MANAGED_BY = "app.kubernetes.io/managed-by"
BASE_MODEL = "quiver.dev/base-model"
SECRET_REVISION = "quiver.dev/secret-revision"
# What an object has beyond what is desired may be others'. This label shows that a part of the pods is not desired any
# more.
TEMPLATE = "quiver.dev/pod-template"
_TEMPLATE_DIGITS = 16
OPERATOR = "quiver-operator"

# Seconds, longer than any request: a terminating pod finishes its requests.
DRAIN_S = 660
PROBE_S = 5
# vLLM's processes share more memory than a container's default of 64 MiB.
_SHARED_MEMORY = {"name": "shm", "mountPath": "/dev/shm"}  # noqa: S108
# A claim is mounted below this path, in a directory of the claim's name.
VOLUMES = "/models"
_STORE = "/store"
# The mount path of certificate authorities, and the variables that name their file to Python's libraries.
CA = "/ca"
_AUTHORITIES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True)
class Platform:
    """Settings shared by all engines of an installation. `secret` holds `operator-agent` and `engine-api-key`; `models`
    is a claim with base models and adapters, if there is one; `kserve` allows the KServe runtime; with `openshift` pods
    name no user. `pull_policy` is for the agent's image; `pull_secrets`, `node_selector` and `tolerations` go into
    every engine's pod; `hub_secret` is a Secret with a `token` for the Hugging Face hub. `engine_environment`,
    `agent_settings` (names without QUIVER_AGENT_) and `agent_environment` are added to every engine and agent;
    `ca_config_map` has certificate authorities in `ca.crt`; `service_account` is the pods' identity in clouds.
    `trainings` is a claim for trainings and their adapters, `documents` the one with tenants' documents;
    `training_priority` is a PriorityClass."""

    namespace: str
    engine_image: str
    agent_image: str
    secret: str = "quiver-internal"
    engine_python: str = "python3"
    engine_port: int = 8000
    agent_port: int = 9400
    models: str | None = None
    kserve: bool = False
    openshift: bool = False
    pull_policy: str = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, Any], ...] = ()
    hub_secret: str | None = None
    engine_environment: Mapping[str, str] = field(default_factory=dict)
    agent_settings: Mapping[str, str] = field(default_factory=dict)
    agent_environment: Mapping[str, str] = field(default_factory=dict)
    ca_config_map: str | None = None
    service_account: str | None = None
    secret_revision: str = ""
    trainings: str | None = None
    trainer_image: str = ""
    trainer_python: str = "python3"
    training_priority: str | None = None
    documents: str | None = None
    gateway_url: str = ""


def selector(base: str) -> dict[str, str]:
    return {NAME: "quiver", COMPONENT: "engine", BASE_MODEL: base}


def engine_workload(base: BaseModel, *, uid: str, platform: Platform) -> tuple[Manifest, ...]:
    """All objects of the base model. Its other objects made by this operator are obsolete."""
    build = _Workload(base, uid, platform)
    manifests = (build.engines(), build.service(), build.disruption_budget())
    return (*manifests, build.autoscaler()) if base.spec.autoscaling else manifests


def mounted_source(source: str) -> str:
    """The mounted path of a pvc:// source; any other is as it is."""
    path = source.removeprefix("pvc://")
    return source if path == source else f"{VOLUMES}/{path}"


def _mounted(base: BaseModel) -> BaseModel:
    source = mounted_source(base.spec.source)
    return base.model_copy(update={"spec": base.spec.model_copy(update={"source": source})})


def user(platform: Platform) -> Manifest:
    """The security context of a pod: a user without rights. OpenShift chooses one of the namespace's."""
    ids = {} if platform.openshift else {"runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532}
    return {"runAsNonRoot": True, **ids, "seccompProfile": {"type": "RuntimeDefault"}}


def restricted() -> Manifest:
    """The security context of a container."""
    return {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}


def placement(platform: Platform) -> Manifest:
    """Where engines and trainings may run."""
    placed: Manifest = {
        "imagePullSecrets": [{"name": name} for name in platform.pull_secrets],
        "nodeSelector": dict(platform.node_selector),
        "tolerations": [dict(item) for item in platform.tolerations],
    }
    return {key: value for key, value in placed.items() if value}


def hub_token(platform: Platform) -> list[Manifest]:
    """The variable with the token for the Hugging Face hub."""
    name = platform.hub_secret
    reference = {"secretKeyRef": {"name": name, "key": "token"}}
    return [{"name": "HF_TOKEN", "valueFrom": reference}] if name else []


def hub_secrets(base: BaseModel, platform: Platform) -> list[Manifest]:
    """Variables for fetching models: the base model's own, and the platform's token of the hub unless it
    has its own."""
    own = additions.secrets(base.spec.pod)
    names = {each["name"] for each in own}
    return [*own, *(each for each in hub_token(platform) if each["name"] not in names)]


def cache_claim(base: str) -> str:
    """The name of the claim with a base model's files."""
    return f"model-{base}"


def authority_variables(platform: Platform) -> dict[str, str]:
    """Variables for Python's libraries to find the certificate authorities."""
    return dict.fromkeys(_AUTHORITIES, f"{CA}/ca.crt") if platform.ca_config_map else {}


def authorities(platform: Platform) -> list[Manifest]:
    """The volume of certificate authorities."""
    name = platform.ca_config_map
    return [{"name": "ca", "configMap": {"name": name}}] if name else []


def _alive(engine_port: int, agent_port: int) -> str:
    """Exits with 1 if the engine does not answer, or its agent reports wrong answers. A silent agent proves nothing
    about its engine."""
    return f"""
import sys, urllib.error, urllib.request
def status(port, path):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{{port}}{{path}}", timeout=4).status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
sys.exit(status({engine_port}, "/health") != 200 or status({agent_port}, "/engine") == 503)
"""


def kserve_deployment(name: str) -> str:
    """The name of an InferenceService's Deployment, given by KServe."""
    return f"{name}-predictor"


class _Workload:
    def __init__(self, base: BaseModel, uid: str, platform: Platform) -> None:
        self._base = _mounted(base)
        self._uid = uid
        self._platform = platform
        self._name = f"engine-{base.name}"

    def engines(self) -> Manifest:
        """A Deployment, or an InferenceService."""
        deployment, spec = self._deployment(), self._base.spec
        if spec.runtime == "Deployment":
            return deployment
        scaling = spec.autoscaling
        least, most = (scaling.min_replicas, scaling.max_replicas) if scaling else (spec.replicas, spec.replicas)
        from operators.desired.inference_service import inference_service  # most installations lack its types

        return inference_service(deployment, least=least, most=most, scaled=scaling is not None)

    def _deployment(self) -> Manifest:
        """An engine is stopped only once another one is ready, unless the strategy says otherwise. An autoscaler, if
        there is one, sets the replicas."""
        strategy = self._base.spec.strategy.model_dump(by_alias=True)
        spec: Manifest = {
            "selector": {"matchLabels": selector(self._base.name)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": strategy},
            "progressDeadlineSeconds": self._base.spec.pod.start_seconds + 60,
            "template": {"metadata": self._pod_metadata(), "spec": self._pod()},
        }
        if self._base.spec.autoscaling is None:
            spec["replicas"] = self._base.spec.replicas
        deployment = self._object("apps/v1", "Deployment", spec)
        text = json.dumps(spec["template"], sort_keys=True)
        deployment["metadata"]["labels"][TEMPLATE] = hashlib.sha256(text.encode()).hexdigest()[:_TEMPLATE_DIGITS]
        return deployment

    def service(self) -> Manifest:
        """A headless Service: gateways choose among the pods themselves."""
        ports = [
            {"name": "engine", "port": self._platform.engine_port, "targetPort": "engine"},
            {"name": "agent", "port": self._platform.agent_port, "targetPort": "agent"},
        ]
        return self._object(
            "v1", "Service", {"clusterIP": "None", "selector": selector(self._base.name), "ports": ports}
        )

    def disruption_budget(self) -> Manifest:
        """An engine that is not ready does not hold up the drain of its node."""
        spec = {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": selector(self._base.name)},
        }
        return self._object("policy/v1", "PodDisruptionBudget", spec)

    def autoscaler(self) -> Manifest:
        scaling = self._base.spec.autoscaling
        assert scaling  # noqa: S101  # only called if it is set
        runs = self._name if self._base.spec.runtime == "Deployment" else kserve_deployment(self._name)
        spec = {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": runs},
            "minReplicas": max(1, scaling.min_replicas),  # the operator itself goes to zero and back
            "maxReplicas": scaling.max_replicas,
            "metrics": scaling_metrics(self._base.name, scaling),
            "behavior": {"scaleDown": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": DRAIN_S}]}},
        }
        return self._object("autoscaling/v2", "HorizontalPodAutoscaler", spec)

    def _object(self, api_version: str, kind: str, spec: Manifest) -> Manifest:
        owner = {"apiVersion": API_VERSION, "kind": "BaseModel", "name": self._base.name, "uid": self._uid,
                 "controller": True, "blockOwnerDeletion": True}  # fmt: skip
        metadata = {
            "name": self._name,
            "namespace": self._platform.namespace,
            "labels": {**selector(self._base.name), MANAGED_BY: OPERATOR},
            "ownerReferences": [owner],
        }
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}

    def _pod_metadata(self) -> Manifest:
        revision, template = self._platform.secret_revision, self._base.spec.pod
        annotations = {**template.annotations, **({SECRET_REVISION: revision} if revision else {})}
        labels = {**template.labels, **selector(self._base.name)}
        return {"labels": labels, **({"annotations": annotations} if annotations else {})}

    def _pod(self) -> Manifest:
        return {
            **additions.identity(self._base.spec.pod, self._platform.service_account),
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": DRAIN_S,
            "securityContext": user(self._platform),
            "containers": [self._engine(), self._agent()],
            **additions.placed(self._base.spec.pod, placement(self._platform), selector(self._base.name)),
            "volumes": [
                *({"name": name, "emptyDir": {}} for name in ("store", "cache", "tmp")),
                {"name": "shm", "emptyDir": additions.shared_memory(self._base.spec.pod)},
                *(
                    {"name": name, "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}
                    for name, claim in self._claims().items()
                ),
                *additions.volumes(self._base.spec.pod),
                *authorities(self._platform),
            ],
        }

    def _hub_cache(self) -> str:
        """Where models of the hub lie."""
        return f"{VOLUMES}/{cache_claim(self._base.name)}/hub" if self._base.spec.cache else "/cache/huggingface/hub"

    def _claims(self) -> Mapping[str, str]:
        """Volumes with models and adapters, each below VOLUMES under the claim's name."""
        named = {"models": self._platform.models, "trainings": self._platform.trainings}
        if self._base.spec.cache:
            named["model-cache"] = cache_claim(self._base.name)
        return {name: claim for name, claim in named.items() if claim}

    def _engine(self) -> Manifest:
        platform = self._platform
        command = engine_command(
            self._base,
            python=platform.engine_python,
            listen=on_port("0.0.0.0", platform.engine_port),
            api_key="",
            store=_STORE,
        )
        ours = {**platform.engine_environment, **command.environment}
        environment = {**authority_variables(platform), **ours, "HOME": "/cache", "HF_HOME": "/cache/huggingface"}
        if self._base.spec.cache:
            environment |= {"HF_HUB_CACHE": self._hub_cache(), "HF_HUB_OFFLINE": "1"}
        environment.pop("VLLM_API_KEY")
        alive = {"httpGet": {"path": "/health", "port": "engine"}, "periodSeconds": PROBE_S, "timeoutSeconds": 5}
        return {
            "name": "engine",
            "image": self._base.spec.image or platform.engine_image,
            "command": list(command.arguments),
            "env": [
                *plain(environment),
                self._secret("VLLM_API_KEY", "engine-api-key"),
                *hub_secrets(self._base, platform),
            ],
            "ports": [{"name": "engine", "containerPort": platform.engine_port}],
            "resources": _resources(self._base),
            "startupProbe": {**alive, "failureThreshold": self._base.spec.pod.start_seconds // PROBE_S},
            "livenessProbe": {
                "exec": {"command": [platform.engine_python, "-c", _alive(platform.engine_port, platform.agent_port)]},
                "periodSeconds": PROBE_S,
                "timeoutSeconds": 10,
                "failureThreshold": 6,
            },
            "readinessProbe": alive,
            "lifecycle": self._drained(),
            "terminationMessagePolicy": "FallbackToLogsOnError",  # so the container's status shows why it ended
            "securityContext": restricted(),
            "volumeMounts": [*self._mounts(), _SHARED_MEMORY],
        }

    def _agent(self) -> Manifest:
        platform, base = self._platform, self._base
        settings = {
            **platform.agent_settings,
            "HOST": "0.0.0.0",
            "PORT": str(platform.agent_port),
            "STORE": _STORE,
            "ENGINE_URL": f"http://127.0.0.1:{platform.engine_port}",
            "BASE_MODEL": base.name,
            "BASE_SOURCE": base.spec.source,
            "MAX_RANK": str(base.spec.lora.max_rank),
            "VOLUMES": VOLUMES,
            "HUB_CACHE": self._hub_cache(),
            **({"CA_FILE": f"{CA}/ca.crt"} if platform.ca_config_map else {}),
        }
        return {
            "name": "agent",
            "image": platform.agent_image,
            "imagePullPolicy": platform.pull_policy,
            "env": [
                *plain({f"QUIVER_AGENT_{key}": value for key, value in settings.items()}),
                *plain(dict(platform.agent_environment)),
                self._secret("QUIVER_AGENT_TOKEN", "operator-agent"),
                self._secret("QUIVER_AGENT_ENGINE_API_KEY", "engine-api-key"),
            ],
            "ports": [{"name": "agent", "containerPort": platform.agent_port}],
            "resources": {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "2Gi"}},
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": "agent"}, "periodSeconds": 10},
            "readinessProbe": {
                "httpGet": {"path": "/readyz", "port": "agent"}, "periodSeconds": 1, "failureThreshold": 1,
            },
            "lifecycle": self._drained(),
            "securityContext": restricted(),
            "volumeMounts": self._mounts(),
        }  # fmt: skip

    def _drained(self) -> Manifest:
        """A hook delaying the end: the agent replies once the engine has nothing left to answer."""
        return {"preStop": {"httpGet": {"path": "/drained", "port": self._platform.agent_port}}}

    def _mounts(self) -> list[Manifest]:
        mounts: list[Manifest] = [{"name": name, "mountPath": f"/{name}"} for name in ("store", "cache", "tmp")]
        if self._platform.ca_config_map:
            mounts.append({"name": "ca", "mountPath": CA, "readOnly": True})
        mounts += additions.mounts(self._base.spec.pod)
        claims = self._claims().items()
        return mounts + [{"name": name, "mountPath": f"{VOLUMES}/{claim}", "readOnly": True} for name, claim in claims]

    def _secret(self, variable: str, key: str) -> Manifest:
        return {"name": variable, "valueFrom": {"secretKeyRef": {"name": self._platform.secret, "key": key}}}


def plain(environment: dict[str, str]) -> list[Manifest]:
    return [{"name": name, "value": value} for name, value in sorted(environment.items())]


def _resources(base: BaseModel) -> Manifest:
    resources = base.spec.resources
    return {name: dict(part) for name, part in (("requests", resources.requests), ("limits", resources.limits)) if part}
