"""`quiver get`, `describe`, `keys` and `doctor` on a cluster."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract.api_key import key_digest
from tests.api_server.parts import get, namespace, thing
from tests.api_server.server import ApiServer


@dataclass(frozen=True)
class Result:
    exit_code: int
    output: str


def _run(*arguments: str) -> Result:
    command = [sys.executable, "-c", "from operators.cli import main; main()", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60)
    return Result(done.returncode, done.stdout)


@pytest.fixture(autouse=True)
def _objects(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig))
    server.apply(namespace("acme-team"), namespace("globex-team"))
    server.apply(
        thing("BaseModel", "shown", source="hf://org/model", tenants=["acme"]),
        thing("Tenant", "acme", namespace="acme-team"),
        thing("Adapter", "support", "acme-team", baseModel="shown", source="s3://bucket/support"),
        thing("Adapter", "desk", "globex-team", baseModel="shown", source="s3://bucket/desk"),
    )
    yield
    for kind, name in (("basemodel", "shown"), ("tenant", "acme")):
        server.kubectl("delete", kind, name, "--ignore-not-found", "--wait=false")
    for within in ("acme-team", "globex-team"):
        server.kubectl("delete", "adapters,apikeys", "--all", "--namespace", within)


def test_objects_are_shown_by_kind_and_namespace() -> None:
    everything = _run("get", "cluster").output
    assert all(name in everything for name in ("shown", "acme", "support", "desk"))
    adapters = _run("get", "cluster", "adapters", "--namespace", "acme-team").output
    assert "support" in adapters
    assert not any(name in adapters for name in ("desk", "BaseModel"))


def test_one_object_is_described_and_a_missing_one_named_with_those_that_are_there() -> None:
    assert "source: s3://bucket/support" in _run("describe", "cluster", "adapter", "acme-team/support").output
    missing = _run("describe", "cluster", "adapter", "acme-team/sales")
    assert missing.exit_code == 1
    assert "the cluster has no adapter acme-team/sales; it has acme-team/support" in missing.output


def test_a_key_is_made_listed_and_revoked(server: ApiServer) -> None:
    made = _run("keys", "create", "cluster", "--tenant", "acme", "--name", "first", "--model", "support")
    assert made.exit_code == 0, made.output
    key = made.output.strip()
    stored = get(server, "apikey", "first", "acme-team") or {}
    assert stored["spec"]["sha256"] == key_digest(key)
    assert key not in str(stored)
    again = _run("keys", "create", "cluster", "--tenant", "acme", "--name", "first")
    assert "is in the cluster already; choose another --name" in again.output
    assert "first" in _run("keys", "list", "cluster", "--tenant", "acme").output
    assert "is revoked" in _run("keys", "revoke", "cluster", "--tenant", "acme", "--name", "first").output
    assert get(server, "apikey", "first", "acme-team") is None
    assert "has no key first" in _run("keys", "revoke", "cluster", "--tenant", "acme", "--name", "first").output


def test_a_key_for_a_tenant_that_is_not_there_names_those_that_are() -> None:
    refused = _run("keys", "create", "cluster", "--tenant", "initech", "--name", "first")
    assert refused.exit_code == 1
    assert "the cluster holds no Tenant initech; it has" in refused.output


def test_what_the_caller_may_not_read_is_said(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(server.user("stranger")))
    refused = _run("get", "cluster")
    assert refused.exit_code == 1
    assert "not shown: basemodels" in refused.output or "is forbidden" in refused.output


def test_a_cluster_that_does_not_answer_is_an_error_of_the_command(
    tmp_path: Path, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "kubeconfig"
    elsewhere.write_text(server.kubeconfig.read_text().replace(f":{server.port}", ":1"))
    monkeypatch.setenv("KUBECONFIG", str(elsewhere))
    refused = _run("get", "cluster")
    assert refused.exit_code == 1
    assert "the cluster says: no answer" in refused.output


def test_the_doctor_names_what_is_missing_and_what_does_not_work(server: ApiServer) -> None:
    checked = _run("doctor", "cluster")
    assert checked.exit_code == 1
    rows = {line.split("  ")[0]: line for line in checked.output.splitlines()}
    assert " ok " in rows["cluster"]
    assert "7 kinds are defined" in rows["definitions"]
    assert "there is no operator" in rows["installation"]
    assert "nobody has said anything of it yet" in rows["Adapter acme-team/support"]


def test_the_doctor_looks_at_the_parts_of_an_installation(server: ApiServer) -> None:
    labels = {"app.kubernetes.io/name": "quiver", "app.kubernetes.io/component": "operator"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "operator", "image": "none"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": pod}
    metadata = {"name": "quiver-operator", "namespace": "quiver", "labels": labels}
    server.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
    rows = {line.split("  ")[0]: line for line in _run("doctor", "cluster").output.splitlines()}
    server.kubectl("delete", "deployment", "quiver-operator", "-n", "quiver")
    assert "in namespace quiver" in rows["installation"]
    assert "0 of 2 are ready" in rows["quiver-operator"]
    assert "kubectl -n quiver describe deployment quiver-operator" in rows["quiver-operator"]
