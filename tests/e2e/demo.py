"""The demo as a cluster has it: its objects, its keys, and the volumes that lie on this machine."""

import secrets
import shutil
from pathlib import Path
from typing import Any

import yaml

from contract.api_key import key_digest, key_from_entropy
from contract.names import API_VERSION
from examples.demo import training
from tests.e2e.cluster import NAMESPACE, Data
from tests.e2e.images import HERE, REPOSITORY, TAG

CLAIM = "quiver-models"
STATE = HERE / "build/e2e"
CLASS = "e2e"
BASE = "quiver-demo"
# Its environment is mounted: an image of 6 GB takes longer to make than everything else here.
ENGINE = f"/models/{CLAIM}"
PYTHON = (3, 11)
# Enough to learn the form of the answers.
TRAINING = training.Sizes(examples=200, questions=20)
LEARNED = "/documents/acme/training"
PYTHONPATH = f"{ENGINE}/.venv-engine/lib/python3.11/site-packages:{ENGINE}"

VALUES: Data = {
    "image": {"repository": REPOSITORY, "tag": TAG, "pullPolicy": "Never"},
    "engine": {
        "image": f"{REPOSITORY}/engine-runtime:{TAG}",
        "env": {"PYTHONPATH": PYTHONPATH, "TORCHDYNAMO_DISABLE": "1"},
    },
    "models": {"existingClaim": CLAIM},
    "documents": {"className": CLASS},
    "tuning": {
        "enabled": True,
        "image": f"{REPOSITORY}/engine-runtime:{TAG}",
        "python": "python3",
        "className": CLASS,
        "accessMode": "ReadWriteOnce",
    },
    "uploads": {"className": CLASS},
    "test": {"secret": "e2e-test"},
    **{part: {"resources": {"requests": {"cpu": "20m"}}} for part in ("gateway", "operator")},
    "console": {"resources": {"requests": {"cpu": "20m"}}, "proxies": 0},
    "retrieval": {"replicas": 1, "resources": {"requests": {"cpu": "20m"}}},
    **{
        part: {"resources": {"requests": {"cpu": "20m"}}, "storage": {"className": CLASS}}
        for part in ("ingest", "milvus", "drift", "management")
    },
}


def volumes() -> tuple[Data, ...]:
    """What a cluster's own storage would be: folders of this machine. The checkout is the claim of the models."""
    shutil.rmtree(STATE, ignore_errors=True)
    documents = STATE / "documents"
    shutil.copytree(HERE / "examples/demo/documents", documents)
    training.write(documents / "acme/training", TRAINING)
    folders = {CLAIM: HERE, "quiver-documents": documents}
    for part in ("ingest", "uploads", "milvus", "drift", "management", "tuning"):
        folders[f"quiver-{part}"] = STATE / part
        folders[f"quiver-{part}"].mkdir(parents=True, exist_ok=True)
        folders[f"quiver-{part}"].chmod(0o777)
    for path in (HERE / "models/demo", documents):
        for file in (path, *path.rglob("*")):
            file.chmod(file.stat().st_mode | (0o555 if file.is_dir() else 0o444))
    claim = {"accessModes": ["ReadOnlyMany"], "storageClassName": CLASS, "volumeName": CLAIM,
             "resources": {"requests": {"storage": "1Gi"}}}  # fmt: skip
    metadata = {"name": CLAIM, "namespace": NAMESPACE}
    return (
        *(_volume(name, path) for name, path in folders.items()),
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": claim},
    )


def _volume(name: str, path: Path) -> Data:
    spec = {"capacity": {"storage": "100Gi"}, "accessModes": ["ReadWriteOnce", "ReadOnlyMany"],
            "hostPath": {"path": str(path)}, "storageClassName": CLASS,
            "persistentVolumeReclaimPolicy": "Retain", "claimRef": {"namespace": NAMESPACE, "name": name}}  # fmt: skip
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}


def objects() -> list[Data]:
    """As in examples/demo, with what lies in files named by where pods see it."""
    texts = (HERE / f"examples/demo/{name}.yaml" for name in ("platform", "acme", "globex"))
    return [_there(item) for path in texts for item in yaml.safe_load_all(path.read_text())]


def _there(item: Data) -> Data:
    spec: dict[str, Any] = item["spec"]
    if item["kind"] == "BaseModel":
        spec["source"] = _on_claim(spec["source"])
    if item["kind"] == "Adapter":
        spec["source"] = _on_claim(spec["source"])
        spec.pop("knowledgeBases")  # what callers ask under load is to need no documents
    if item["kind"] == "KnowledgeBase":
        spec["sources"] = [{"path": source["path"].replace("./documents", "/documents")} for source in spec["sources"]]
    return item


def _on_claim(source: str) -> str:
    return f"pvc://{CLAIM}/{source.removeprefix('../../')}"


def test_secret(key: str) -> Data:
    """What `helm test` asks with."""
    metadata = {"name": VALUES["test"]["secret"], "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"key": key, "model": "support"}}


def adapter(version: str, **spec: Any) -> Data:
    """Tenant acme's adapter `support`, of one version."""
    (found,) = (i for i in objects() if i["kind"] == "Adapter" and i["metadata"]["name"] == "support")
    found["spec"] |= {"source": _on_claim(f"models/demo/adapters/{version}"), **spec}
    return found


def keys() -> tuple[dict[str, str], list[Data]]:
    """A key for each tenant, and the objects that let it in."""
    made = {tenant: key_from_entropy(tenant, secrets.token_bytes(32)) for tenant in ("acme", "globex")}
    return made, [
        {"apiVersion": API_VERSION, "kind": "APIKey", "metadata": {"name": "e2e", "namespace": tenant},
         "spec": {"sha256": key_digest(key), "scopes": ["inference", "documents", "admin"]}}
        for tenant, key in made.items()
    ]  # fmt: skip
