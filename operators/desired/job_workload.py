"""A training or an evaluation → the objects that run it on a cluster (pure).

A job of one pod: the agent's code fetches the inputs, then the work is done. Of the volume for jobs a pod sees its
tenant's folder alone.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from contract.base_model import Resources
from contract.job import REFUSED
from contract.resource import Key
from operators.desired.engine_workload import (
    CA,
    COMPONENT,
    MANAGED_BY,
    NAME,
    OPERATOR,
    VOLUMES,
    Manifest,
    Platform,
    authorities,
    hub_token,
    mounted_source,
    placement,
    plain,
    restricted,
    user,
)
from operators.desired.evaluation import EvaluationJob
from operators.desired.job import Job
from operators.desired.jobs import AnyJob
from operators.desired.tenant_namespace import TENANT
from operators.desired.training import TrainingJob

TRAINER = "trainer"
WORK = "work"  # the name of the working container
DIGEST = "quiver.dev/digest"  # a failed job is run again when this changes: resources, images, credentials
OF = "quiver.dev/job-of"  # identifies the object
ROOT = "/jobs"
_DOCUMENTS = "/documents"
_RESULT = "/dev/termination-log"  # where a container's last words are kept with its pod
GRACE_S = 5  # short, since a kill leaves a whole checkpoint
_TRIES = 3  # after the first, if a node or memory ended it
_KEPT_S = 600  # of a clearing job


def job_name(job: Job) -> str:
    return f"{job.key.kind.lower()}-{_hash(str(job.key))}-{job.run}"


def selector(key: Key) -> str:
    """The labels of all jobs and pods of an object."""
    return f"{OF}={object_hash(key)}"


def tenant_selector(tenant: str) -> str:
    """The labels of all jobs and pods for a tenant, those that clear folders too."""
    return f"{COMPONENT}={TRAINER},{TENANT}={tenant}"


def objects_selector(tenant: str) -> str:
    """The labels of all jobs and pods of a tenant's objects."""
    return f"{tenant_selector(tenant)},{OF}"


def object_hash(key: Key) -> str:
    """The value identifying an object in labels."""
    return _hash(str(key))


def job_workload(job: AnyJob, platform: Platform) -> Manifest:
    """The job; `credentials_of` has the Secret beside it."""
    volumes = [
        {"name": "trainings", "persistentVolumeClaim": {"claimName": platform.trainings}},
        *({"name": name, "emptyDir": {}} for name in ("cache", "tmp")),
        {"name": "shm", "emptyDir": {"medium": "Memory"}},
        *_claim("models", platform.models),
        *_claim("documents", _documents_claim(job, platform)),
        *authorities(platform),
    ]
    pod = {
        **_pod(platform),
        "initContainers": [_fetch(job, platform)],
        "containers": [_work(job, platform)],
        "volumes": volumes,
    }
    spec = {
        "backoffLimit": _TRIES,
        "podFailurePolicy": {
            "rules": [
                {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [REFUSED]}},
                # A drained node or a preemption is no try.
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},
            ]
        },
        "template": {"metadata": {"labels": _labels(job.key, job.tenant)}, "spec": pod},
    }
    manifest = _job(job_name(job), _labels(job.key, job.tenant), spec, platform)
    manifest["metadata"]["annotations"] = {DIGEST: _hash(json.dumps([spec, job.credentials], sort_keys=True))}
    return manifest


def credentials_of(job: Job, platform: Platform, uid: str) -> Manifest | None:
    """The Secret with what the job authenticates itself by, None if it needs nothing. It goes with the job, whose uid
    is given."""
    text = {name: value for name, value in (("credentials", job.credentials), ("token", job.token)) if value}
    if not text:
        return None
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": job_name(job), "uid": uid}
    metadata = {"name": job_name(job), "namespace": platform.namespace, "labels": _labels(job.key, job.tenant),
                "ownerReferences": [owner]}  # fmt: skip
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": text}


def clearing(tenant: str, folder: str, beginning: str, platform: Platform) -> Manifest:
    """A job for emptying a folder below the tenant's, or for removing the names with a beginning from it."""
    labels = {**_component(), TENANT: tenant}
    container = {
        "name": "clear",
        "image": platform.agent_image,
        "imagePullPolicy": platform.pull_policy,
        "command": ["python", "-m", "tuning.clear", f"{ROOT}/{tenant}/{folder}".rstrip("/"), beginning],
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": restricted(),
        "volumeMounts": [_trainings(tenant)],
    }
    volumes = [{"name": "trainings", "persistentVolumeClaim": {"claimName": platform.trainings}}]
    pod = {**_pod(platform), "containers": [container], "volumes": volumes}
    spec = {
        "backoffLimit": _TRIES,
        "ttlSecondsAfterFinished": _KEPT_S,
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    return _job(f"clear-{_hash(f'{tenant}/{folder}/{beginning}')}", labels, spec, platform)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _component() -> dict[str, str]:
    return {NAME: "quiver", COMPONENT: TRAINER, MANAGED_BY: OPERATOR}


def _labels(key: Key, tenant: str) -> dict[str, str]:
    return {**_component(), TENANT: tenant, OF: object_hash(key), "quiver.dev/name": key.name}


def _job(name: str, labels: Mapping[str, str], spec: Manifest, platform: Platform) -> Manifest:
    metadata = {"name": name, "namespace": platform.namespace, "labels": dict(labels)}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def _pod(platform: Platform) -> Manifest:
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_S,
        "securityContext": user(platform),
        **({"priorityClassName": platform.training_priority} if platform.training_priority else {}),
        **placement(platform),
    }


def _documents_claim(job: Job, platform: Platform) -> str | None:
    """Only where the data lies there: a tenant without documents has no folder of it."""
    return platform.documents if job.data.source.startswith("/") else None


def _claim(name: str, claim: str | None) -> list[Manifest]:
    return [{"name": name, "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}] if claim else []


def _trainings(tenant: str) -> Manifest:
    return {"name": "trainings", "mountPath": f"{ROOT}/{tenant}", "subPath": tenant}


def _fetch(job: Job, platform: Platform) -> Manifest:
    own = f"{_DOCUMENTS}/{job.tenant}"
    settings = {
        **platform.agent_settings,
        "FILE_ROOTS": json.dumps([own, f"{ROOT}/{job.tenant}"]),
        "VOLUMES": VOLUMES,
        **({"GATEWAY_URL": platform.gateway_url} if job.data.upload else {}),
        **({"CA_FILE": f"{CA}/ca.crt"} if platform.ca_config_map else {}),
    }
    secret = [_secret(job, "QUIVER_AGENT_CREDENTIALS", "credentials")] if job.credentials else []
    token = [_secret(job, "QUIVER_AGENT_GATEWAY_TOKEN", "token")] if job.data.upload else []
    documents = [{"name": "documents", "mountPath": own, "subPath": job.tenant, "readOnly": True}]
    return {
        "name": "fetch",
        "image": platform.agent_image,
        "imagePullPolicy": platform.pull_policy,
        "command": ["python", "-m", "serving.agent.fetch", *_located(job, platform).fetch_arguments(ROOT)],
        "env": [*plain({f"QUIVER_AGENT_{name}": value for name, value in settings.items()}), *secret, *token],
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": restricted(),
        "volumeMounts": [*_mounts(job.tenant, platform), *(documents if _documents_claim(job, platform) else [])],
    }


def _secret(job: Job, variable: str, key: str) -> Manifest:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": job_name(job), "key": key}}}


def _located(job: Job, platform: Platform) -> Job:
    """The job with an earlier result, to go on from, where the pod sees it."""
    if not isinstance(job, TrainingJob):
        return job
    prefix = f"pvc://{platform.trainings}/"
    is_own = job.start is not None and job.start.startswith(prefix)
    return replace(job, start=f"{ROOT}/{job.start.removeprefix(prefix)}") if is_own and job.start else job


def _work(job: AnyJob, platform: Platform) -> Manifest:
    match job:
        case TrainingJob():
            words = _training(job, platform)
            resources = _resources(job.spec.resources)
        case EvaluationJob():
            words = (platform.trainer_python, "-m", "operators.evaluation", *job.arguments(ROOT, platform.gateway_url))
            resources = {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}
    environment = {**platform.engine_environment, "HOME": "/cache", "HF_HOME": "/cache/huggingface"}
    token = [_secret(job, "QUIVER_API_KEY", "token")] if job.asks else []
    return {
        "name": WORK,
        "image": platform.trainer_image,
        "imagePullPolicy": platform.pull_policy,
        "command": [*words, "--result", _RESULT],
        "env": [*plain(environment), *token, *hub_token(platform)],
        "resources": resources,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": restricted(),
        # PyTorch's processes share more memory than a container's default of 64 MiB.
        "volumeMounts": [*_mounts(job.tenant, platform), {"name": "shm", "mountPath": "/dev/shm"}],  # noqa: S108
    }


def _training(job: TrainingJob, platform: Platform) -> Sequence[str]:
    python = (platform.trainer_python, "-m")
    teaching = job.teaching_arguments(ROOT, platform.gateway_url)
    taught = (*python, "operators.evaluation.teaching", *teaching) if teaching else ()
    return (*taught, *python, "tuning.trainer.job", *job.arguments(ROOT, mounted_source(job.base)))


def _mounts(tenant: str, platform: Platform) -> Sequence[Manifest]:
    certificates = [{"name": "ca", "mountPath": CA, "readOnly": True}] if platform.ca_config_map else []
    scratch = ({"name": name, "mountPath": f"/{name}"} for name in ("cache", "tmp"))
    models = {"name": "models", "mountPath": f"{VOLUMES}/{platform.models}", "readOnly": True}
    return (_trainings(tenant), *scratch, *certificates, *([models] if platform.models else []))


def _resources(resources: Resources) -> Manifest:
    """Without requests it takes little of its node's word: serving comes first."""
    requests = {"cpu": "100m", "memory": "512Mi", **resources.requests}
    return {"requests": requests, **({"limits": dict(resources.limits)} if resources.limits else {})}
