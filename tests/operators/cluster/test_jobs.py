"""A job as a cluster has it → how far the training is."""

import json
from typing import Any

import pytest

from operators.cluster.jobs import report_of

RESULT = {"result": {"digest": "a" * 64}}


def _job(*conditions: str, message: str = "") -> dict[str, Any]:
    listed = [{"type": kind, "status": "True", "message": message} for kind in conditions]
    return {"metadata": {"name": "training-1"}, "status": {"conditions": listed}}


def _pod(phase: str = "Running", *, trainer: dict[str, Any] | None = None, fetch: dict[str, Any] | None = None,
         conditions: tuple[dict[str, str], ...] = ()) -> dict[str, Any]:  # fmt: skip
    status = {"phase": phase, "conditions": list(conditions),
              "containerStatuses": [{"name": "trainer", "state": trainer or {}}],
              "initContainerStatuses": [{"name": "fetch", "state": fetch or {}}]}  # fmt: skip
    return {"metadata": {"name": "pod"}, "status": status}


def _ended(code: int, message: str = "", reason: str = "Error") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "message": message, "reason": reason}}


def test_a_result_is_read_from_the_pods_last_words_or_its_log() -> None:
    said = report_of(_job("Complete"), _pod("Succeeded", trainer=_ended(0, json.dumps(RESULT))), ())
    logged = report_of(_job("Complete"), _pod("Succeeded", trainer=_ended(0)), ({"step": 1}, RESULT))
    assert said.state == logged.state == "Done"
    assert said.result == logged.result == RESULT["result"]
    assert report_of(_job("Complete"), None, ()).result == {}


@pytest.mark.parametrize(("pod", "says"), [
    (_pod("Failed", trainer=_ended(3, '{"step": 1}\n{"error": "line 3: no answer"}')), "line 3: no answer"),
    (_pod("Failed", fetch=_ended(3, '{"error": "it is not there"}')), "it is not there"),
    (_pod("Failed", trainer=_ended(137, "", "OOMKilled")), "resources.limits.memory"),
    (None, "backoff limit; see kubectl logs job/training-1"),
])  # fmt: skip
def test_a_failure_has_its_cause(pod: dict[str, Any] | None, says: str) -> None:
    report = report_of(_job("Failed", message="backoff limit"), pod, ())
    assert report.state == "Failed"
    assert says in report.message


def test_a_pod_that_does_not_start_says_why() -> None:
    unplaced = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes have nvidia.com/gpu"}
    assert "nvidia.com/gpu" in report_of(_job(), _pod("Pending", conditions=(unplaced,)), ()).message
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}
    assert "no such image" in report_of(_job(), _pod("Pending", fetch=waiting), ()).message


def test_a_running_pod_has_its_progress() -> None:
    assert report_of(_job(), _pod(trainer={"running": {}}), ({"step": 1, "of": 9},)).lines[0]["step"] == 1
    assert report_of(_job(), _pod("Pending", fetch={"running": {}}), ()).state == "Running"
