"""A base model's cache → its claim, and the job filling it (pure)."""

import hashlib
from pathlib import Path

from contract.base_model import BaseModel
from contract.names import API_VERSION
from operators.desired import fill_model_cache
from operators.desired import pod_additions as additions
from operators.desired.engine_workload import (
    BASE_MODEL,
    CA,
    COMPONENT,
    MANAGED_BY,
    NAME,
    OPERATOR,
    Manifest,
    Platform,
    authorities,
    authority_variables,
    cache_claim,
    hub_secrets,
    placement,
    plain,
    restricted,
    user,
)

CACHE = "model-cache"
FILL = "fill"  # the name of the working container
_FOLDER = "/model-cache"
_TRIES = 6
# Written out once: the engine's image has none of our code.
_SOURCE = Path(fill_model_cache.__file__).read_text()


def selector(base: str) -> str:
    """The labels of all jobs and pods filling the base model's claim."""
    return ",".join(f"{label}={value}" for label, value in _labels(base).items())


def claim(base: BaseModel, uid: str, platform: Platform) -> Manifest:
    cache = base.spec.cache
    assert cache  # noqa: S101  # only called if it is set
    spec: Manifest = {"accessModes": [cache.access_mode], "resources": {"requests": {"storage": cache.size}}}
    if cache.class_name:
        spec["storageClassName"] = cache.class_name
    metadata = _metadata(base, cache_claim(base.name), uid, platform)
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


def job_name(base: BaseModel) -> str:
    """Another one for another source. A pod's label has the name, so it has at most 63 characters."""
    facts = f"{base.name}\0{base.spec.source}"
    return f"fill-{base.name[:40]}-{hashlib.sha256(facts.encode()).hexdigest()[:8]}"


def fill_job(base: BaseModel, uid: str, platform: Platform) -> Manifest:
    """It runs where engines may, and needs no GPU."""
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": user(platform),
        **additions.placed(base.spec.pod, placement(platform), _labels(base.name)),
        "containers": [_container(base, platform)],
        "volumes": [
            {"name": CACHE, "persistentVolumeClaim": {"claimName": cache_claim(base.name)}},
            {"name": "tmp", "emptyDir": {}},
            *authorities(platform),
        ],
    }
    spec = {"backoffLimit": _TRIES, "template": {"metadata": {"labels": _labels(base.name)}, "spec": pod}}
    metadata = _metadata(base, job_name(base), uid, platform)
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def _container(base: BaseModel, platform: Platform) -> Manifest:
    repository, _, revision = base.spec.source.removeprefix("hf://").partition("@")
    environment = {**authority_variables(platform), **platform.engine_environment, "HOME": "/tmp", "HF_HOME": "/tmp/hf"}  # noqa: S108
    certificates = [{"name": "ca", "mountPath": CA, "readOnly": True}] if platform.ca_config_map else []
    return {
        "name": FILL,
        "image": base.spec.image or platform.engine_image,
        "command": [platform.engine_python, "-c", _SOURCE, repository, revision, f"{_FOLDER}/hub"],
        "env": [*plain(environment), *hub_secrets(base, platform)],
        "resources": {"requests": {"cpu": "250m", "memory": "1Gi"}, "limits": {"memory": "8Gi"}},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": restricted(),
        "volumeMounts": [
            {"name": CACHE, "mountPath": _FOLDER},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
            *certificates,
        ],
    }


def _labels(base: str) -> dict[str, str]:
    return {NAME: "quiver", COMPONENT: CACHE, BASE_MODEL: base}


def _metadata(base: BaseModel, name: str, uid: str, platform: Platform) -> Manifest:
    """Both go with the base model."""
    owner = {"apiVersion": API_VERSION, "kind": "BaseModel", "name": base.name, "uid": uid, "controller": True,
             "blockOwnerDeletion": True}  # fmt: skip
    labels = {**_labels(base.name), MANAGED_BY: OPERATOR}
    return {"name": name, "namespace": platform.namespace, "labels": labels, "ownerReferences": [owner]}
