"""A training on a real API server. The test is the controller of jobs, the scheduler and the kubelet."""

import base64
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from contract.conditions import FETCHED, READY
from service.delegation import Delegations
from tests.api_server.parts import (
    PLATFORM,
    condition,
    free_lease,
    get,
    is_ready,
    namespace,
    operator,
    thing,
    wait_until,
)
from tests.api_server.server import ApiServer

NOW = "2026-01-01T00:00:00Z"
RESULT = {
    "digest": "a" * 64, "data": "b" * 64, "base": "c" * 64, "start": None, "recipe": "{}", "code": "quiver",
    "rows": 66, "held_out_rows": 9, "steps": 18, "held_out_loss": 1.25, "search": "",
}  # fmt: skip
DATA = {"source": "s3://bucket/style.jsonl", "credentials": "bucket"}


@pytest.fixture(scope="module")
def running(server: ApiServer) -> Iterator["subprocess.Popen[bytes]"]:
    server.apply(namespace("quiver"))
    server.apply(
        thing("BaseModel", "trained", source="hf://org/model", tenants=["learner"]),
        thing("Tenant", "learner", namespace="learner"),
    )
    free_lease(server)
    with operator(
        server,
        IDENTITY="trainings",
        TRAININGS="tuning",
        TRAINER_IMAGE="trainer:1",
        DOCUMENTS_CLAIM="documents",
        GATEWAY_URL="http://quiver-gateway",
        DELEGATION_SECRET="s" * 32,
    ) as found:
        wait_until(lambda: is_ready(server, "tenant", "learner"), "the tenant")
        yield found
        server.kubectl("delete", "basemodel", "trained")


def _jobs(server: ApiServer) -> list[dict[str, Any]]:
    text = server.kubectl("get", "jobs", "-n", PLATFORM, "-o", "yaml").stdout
    return list(yaml.safe_load(text)["items"])


def _training(server: ApiServer, kind: str = "finetune") -> dict[str, Any] | None:
    return next((job for job in _jobs(server) if job["metadata"]["name"].startswith(f"{kind}-")), None)


def _patch(server: ApiServer, kind: str, name: str, status: dict[str, Any]) -> None:
    server.kubectl("patch", kind, name, "-n", PLATFORM, "--subresource=status", "--type=merge", "-p",
                   json.dumps({"status": status}))  # fmt: skip


def _complete(server: ApiServer, job: dict[str, Any], message: str) -> None:
    """As the controller of jobs and a kubelet say it."""
    name = job["metadata"]["name"]
    pod = job["spec"]["template"]
    labels = {**pod["metadata"]["labels"], "job-name": name}
    metadata = {"name": name, "namespace": PLATFORM, "labels": labels}
    server.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod["spec"]})
    terminated = {"exitCode": 0, "message": message, "reason": "Completed", "startedAt": NOW, "finishedAt": NOW}
    container = {"name": pod["spec"]["containers"][0]["name"], "state": {"terminated": terminated}, "ready": False,
                 "restartCount": 0, "image": "trainer:1", "imageID": ""}  # fmt: skip
    _patch(server, "pod", name, {"phase": "Succeeded", "containerStatuses": [container]})
    done = [{"type": kind, "status": "True", "lastTransitionTime": NOW, "lastProbeTime": NOW, "reason": "Done"}
            for kind in ("SuccessCriteriaMet", "Complete")]  # fmt: skip
    _patch(server, "job", name, {"startTime": NOW, "completionTime": NOW, "succeeded": 1, "conditions": done,
                                 "uncountedTerminatedPods": {}})  # fmt: skip


@pytest.mark.usefixtures("running")
class TestTraining:
    def test_it_waits_for_its_secret_and_then_has_a_job(self, server: ApiServer) -> None:
        server.apply(
            thing("FineTune", "style", "learner", baseModel="trained", data=DATA, adapter={"name": "styled"}),
            thing("Adapter", "early", "learner", baseModel="trained", source="finetune://style"),
        )
        wait_until(lambda: self._reason(server) == "SecretMissing", "the word")
        assert _training(server) is None
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bucket", "namespace": "learner"}}
        server.apply({**secret, "stringData": {"AWS_ACCESS_KEY_ID": "key"}})
        wait_until(lambda: _training(server), "the job")
        job = _training(server) or {}
        copied = get(server, "secret", job["metadata"]["name"], PLATFORM) or {}
        assert copied["metadata"]["ownerReferences"][0]["uid"] == job["metadata"]["uid"]
        early = get(server, "adapter", "early", "learner")
        wait_until(lambda: "no result yet" in condition(get(server, "adapter", "early", "learner"), FETCHED)["message"],
                   f"the word of {early}")  # fmt: skip

    def test_its_result_becomes_an_adapter_and_its_job_goes(self, server: ApiServer) -> None:
        job = _training(server)
        assert job
        _complete(server, job, json.dumps({"result": RESULT}))
        wait_until(lambda: is_ready(server, "finetune", "style", "learner"), "the result")
        result = (get(server, "finetune", "style", "learner") or {})["status"]["result"]
        assert result["source"] == f"pvc://tuning/learner/versions/{'a' * 64}"
        adapter = get(server, "adapter", "styled", "learner") or {}
        assert adapter["spec"]["source"] == "finetune://style"
        assert [step["weight"] for step in adapter["spec"]["rollout"]["canary"]["steps"]] == [10, 50]
        wait_until(lambda: _training(server) is None, "the end of the job")

    def test_an_evaluation_asks_by_a_token_of_its_tenant(self, server: ApiServer) -> None:
        variants = [{"name": "base", "model": "trained"}, {"name": "short", "model": "trained", "system": "Be short."}]
        questions = {"source": "/documents/learner/questions.jsonl"}
        server.apply(thing("Evaluation", "compared", "learner", questions=questions, variants=variants))
        wait_until(lambda: _training(server, "evaluation"), "the job")
        job = _training(server, "evaluation") or {}
        wait_until(lambda: get(server, "secret", job["metadata"]["name"], PLATFORM), "its token")
        secret = get(server, "secret", job["metadata"]["name"], PLATFORM) or {}
        delegation = Delegations("s" * 32).read(base64.b64decode(secret["data"]["token"]).decode())
        assert delegation
        assert (delegation.tenant, sorted(delegation.scopes)) == ("learner", ["inference"])

    def test_another_tenants_result_is_no_source(self, server: ApiServer) -> None:
        source = f"pvc://tuning/other/versions/{'a' * 64}"
        server.apply(thing("Adapter", "thief", "learner", baseModel="trained", source=source))
        wait_until(lambda: _accepted(server, "thief") == "SourceNotOwn", "the refusal")

    def test_a_tenant_leaves_only_once_its_folder_is_empty(self, server: ApiServer) -> None:
        server.apply(thing("FineTune", "dropped", "learner", baseModel="trained", data=DATA, stopped=True))
        wait_until(lambda: condition(get(server, "finetune", "dropped", "learner"), READY), "a look at it")
        server.kubectl("delete", "finetune", "dropped", "--namespace", "learner")
        wait_until(lambda: self._clears(server), "the job that removes its files")
        server.kubectl("delete", "tenant", "learner", "--wait=false")
        wait_until(lambda: self._clearing(server), "the job that empties the folder")
        assert get(server, "configmap", "offboarded-learner", PLATFORM) is None
        job = self._clearing(server)
        assert job
        _complete(server, job, "")
        wait_until(lambda: get(server, "configmap", "offboarded-learner", PLATFORM), "the proof")
        proof = (get(server, "configmap", "offboarded-learner", PLATFORM) or {})["data"]
        assert "no examples" in proof["jobs"]
        assert self._clears(server) == []

    def _reason(self, server: ApiServer) -> str:
        return str(condition(get(server, "finetune", "style", "learner"), READY).get("reason", ""))

    def _clears(self, server: ApiServer) -> list[dict[str, Any]]:
        clears = (job for job in _jobs(server) if "tuning.clear" in str(job["spec"]))
        return [job for job in clears if _words(job)[-2].startswith("/jobs/learner")]

    def _clearing(self, server: ApiServer) -> dict[str, Any] | None:
        return next((job for job in self._clears(server) if _words(job)[-2] == "/jobs/learner"), None)


def _words(job: dict[str, Any]) -> list[str]:
    return list(job["spec"]["template"]["spec"]["containers"][0]["command"])


def _accepted(server: ApiServer, name: str) -> str:
    return str(condition(get(server, "adapter", name, "learner"), "Accepted").get("reason", ""))
