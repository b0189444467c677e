"""Why an engine's pod does not start, in words that say what to do."""

from typing import Any

import pytest

from operators.cluster.pod import Ports, read_pod

# The end of a log, as Kubernetes keeps it with terminationMessagePolicy FallbackToLogsOnError.
LOG = """\
ValueError: No available memory for the cache blocks.
RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}
"""


def _trouble(**status: Any) -> str:
    found = read_pod({"metadata": {"name": "engine-0", "uid": "u", "labels": {}}, "status": status}, Ports(1, 2, 3))
    assert found
    return found.trouble


def _container(**fields: Any) -> dict[str, Any]:
    return {"containerStatuses": [{"name": "agent", "ready": True}, {"name": "engine", "ready": False, **fields}]}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (_container(state={"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}),
         ("container engine of pod engine-0", "ImagePullBackOff: not found", "engine.image")),
        (_container(state={"waiting": {"reason": "CrashLoopBackOff"}},
                    lastState={"terminated": {"reason": "OOMKilled", "exitCode": 137}}),
         ("OOMKilled", "limits.memory")),
        (_container(state={"waiting": {"reason": "CrashLoopBackOff"}},
                    lastState={"terminated": {"reason": "Error", "exitCode": 1}}),
         ("CrashLoopBackOff", "kubectl logs")),
        (_container(state={"waiting": {"reason": "CrashLoopBackOff"}},
                    lastState={"terminated": {"reason": "Error", "exitCode": 1, "message": LOG}}),
         ("container engine of pod engine-0: Error: ValueError: No available memory", "kubectl logs")),
        ({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                          "message": "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."}]},
         ("pod engine-0: Unschedulable", "nvidia.com/gpu", "spec.resources")),
    ],
)  # fmt: skip
def test_trouble_names_the_pod_the_fact_and_what_to_do(status: dict[str, Any], words: tuple[str, ...]) -> None:
    assert all(word in _trouble(**status) for word in words)


@pytest.mark.parametrize(
    "status",
    [
        {},
        _container(state={"running": {}}),
        _container(state={"waiting": {"reason": "ContainerCreating"}}),
        _container(ready=True, state={"running": {}}, lastState={"terminated": {"reason": "OOMKilled"}}),
    ],
)  # fmt: skip
def test_one_that_starts_or_runs_is_in_no_trouble(status: dict[str, Any]) -> None:
    assert _trouble(**status) == ""


def test_what_kubernetes_says_is_kept_to_a_length() -> None:
    assert len(_trouble(**_container(state={"waiting": {"reason": "ErrImagePull", "message": "x" * 10_000}}))) < 600
