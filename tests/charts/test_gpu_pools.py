"""The example with two pools of GPUs keeps what docs/cluster.md lists for them (examples/gpu)."""

from typing import Any

import pytest
import yaml

from contract.base_model import BaseModel
from operators.app import platform
from operators.desired.engine_workload import engine_workload
from operators.settings import OperatorSettings
from tests.api_server.server import ApiServer
from tests.charts.helm import CHART, KUBERNETES, helm

Manifest = dict[str, Any]
EXAMPLE = CHART.parents[1] / "examples/gpu"
BASES = [BaseModel.model_validate(item) for item in yaml.safe_load_all((EXAMPLE / "base-models.yaml").read_text())]
SMALL, LARGE = BASES
LONGEST_STREAM_S = 600  # of gateways


def _rendered() -> list[Manifest]:
    values = ("--values", str(EXAMPLE / "values.yaml"), "--namespace", "quiver", "--kube-version", KUBERNETES[1])
    done = helm("template", "quiver", str(CHART), *values)
    assert done.returncode == 0, done.stderr
    return [item for item in yaml.safe_load_all(done.stdout) if item]


@pytest.fixture(scope="module")
def settings() -> OperatorSettings:
    """The operator's settings as its pod gets them."""
    (deployment,) = (
        item for item in _rendered() if (item["kind"], item["metadata"]["name"]) == ("Deployment", "quiver-operator")
    )
    variables = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    with pytest.MonkeyPatch.context() as environment:
        for variable in variables:
            environment.setenv(variable["name"], variable.get("value", "x"))
        return OperatorSettings()  # type: ignore[call-arg]  # its fields come from the environment


def _objects(base: BaseModel, settings: OperatorSettings) -> list[Manifest]:
    return list(engine_workload(base, uid="u", platform=platform(settings)))


def _pod(base: BaseModel, settings: OperatorSettings) -> Manifest:
    spec: Manifest = _objects(base, settings)[0]["spec"]["template"]["spec"]
    return spec


def test_the_api_server_takes_the_base_models_and_all_that_is_made_of_them(
    server: ApiServer, settings: OperatorSettings
) -> None:
    made = [item for base in BASES for item in _objects(base, settings)]
    for item in made:
        item["metadata"] |= {"namespace": "default"}
        item["metadata"]["ownerReferences"][0]["uid"] = "00000000-0000-0000-0000-000000000000"
    given = [yaml.safe_load(text) for text in (EXAMPLE / "base-models.yaml").read_text().split("---")]
    server.kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump_all([*given, *made]))


@pytest.mark.parametrize("base", BASES, ids=lambda base: str(base.name))
class TestEveryPool:
    def test_an_engine_runs_on_nodes_of_its_pool_alone(self, base: BaseModel, settings: OperatorSettings) -> None:
        pod = _pod(base, settings)
        assert pod["nodeSelector"] == dict(base.spec.pod.node_selector)
        assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in pod["tolerations"]

    def test_it_asks_for_as_many_gpus_as_it_is_divided_into(self, base: BaseModel, settings: OperatorSettings) -> None:
        engine = _pod(base, settings)["containers"][0]
        words = engine["command"]
        wanted = int(words[words.index("--tensor-parallel-size") + 1]) if "--tensor-parallel-size" in words else 1
        assert int(engine["resources"]["limits"]["nvidia.com/gpu"]) == wanted == base.spec.gpus

    def test_its_disk_and_memory_are_asked_for(self, base: BaseModel, settings: OperatorSettings) -> None:
        resources = _pod(base, settings)["containers"][0]["resources"]
        assert {"cpu", "memory", "ephemeral-storage"} <= resources["requests"].keys()
        assert "memory" in resources["limits"]

    def test_a_start_may_take_what_the_model_takes(self, base: BaseModel, settings: OperatorSettings) -> None:
        deployment = _objects(base, settings)[0]["spec"]
        probe = _pod(base, settings)["containers"][0]["startupProbe"]
        assert probe["failureThreshold"] * probe["periodSeconds"] >= base.spec.pod.start_seconds
        assert deployment["progressDeadlineSeconds"] > base.spec.pod.start_seconds

    def test_it_ends_after_its_longest_answer(self, base: BaseModel, settings: OperatorSettings) -> None:
        pod = _pod(base, settings)
        assert pod["terminationGracePeriodSeconds"] > LONGEST_STREAM_S
        assert pod["containers"][0]["lifecycle"]["preStop"]["httpGet"]["path"] == "/drained"

    def test_it_has_no_rights_and_nothing_of_its_host(self, base: BaseModel, settings: OperatorSettings) -> None:
        pod = _pod(base, settings)
        assert not any(pod.get(field) for field in ("hostIPC", "hostPID", "hostNetwork"))
        assert not any("hostPath" in volume for volume in pod["volumes"])
        for container in pod["containers"]:
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["securityContext"]["readOnlyRootFilesystem"]

    def test_its_caches_are_in_a_folder_that_it_may_write(self, base: BaseModel, settings: OperatorSettings) -> None:
        engine = _pod(base, settings)["containers"][0]
        environment = {each["name"]: each.get("value", "") for each in engine["env"]}
        mounts = {each["mountPath"] for each in engine["volumeMounts"] if not each.get("readOnly")}
        assert {environment[name].split("/")[1] for name in ("HOME", "HF_HOME")} == {"cache"}
        assert "/cache" in mounts

    def test_its_image_is_named_by_digest(self, base: BaseModel, settings: OperatorSettings) -> None:
        assert "@sha256:" in _pod(base, settings)["containers"][0]["image"]

    def test_a_node_is_drained_past_an_engine_that_is_not_ready(
        self, base: BaseModel, settings: OperatorSettings
    ) -> None:
        budget = next(item for item in _objects(base, settings) if item["kind"] == "PodDisruptionBudget")["spec"]
        assert (budget["maxUnavailable"], budget["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")

    def test_secrets_are_named_and_not_written(self, base: BaseModel, settings: OperatorSettings) -> None:
        for container in _pod(base, settings)["containers"]:
            tokens = [each for each in container["env"] if each["name"].endswith(("TOKEN", "KEY"))]
            assert tokens
            assert all("secretKeyRef" in each["valueFrom"] for each in tokens)


def test_processes_of_an_engine_on_several_gpus_share_memory_within_its_limit(settings: OperatorSettings) -> None:
    pod = _pod(LARGE, settings)
    (shared,) = (volume["emptyDir"] for volume in pod["volumes"] if volume["name"] == "shm")
    assert shared == {"medium": "Memory", "sizeLimit": "16Gi"}
    assert pod["containers"][0]["resources"]["limits"]["memory"] == "240Gi"


def test_a_full_pool_replaces_one_engine_at_a_time_and_one_with_room_adds_one(settings: OperatorSettings) -> None:
    strategies = [_objects(base, settings)[0]["spec"]["strategy"]["rollingUpdate"] for base in (SMALL, LARGE)]
    assert strategies == [{"maxSurge": 1, "maxUnavailable": 0}, {"maxSurge": 0, "maxUnavailable": 1}]


def test_the_large_model_is_read_from_a_claim_that_engines_cannot_write(settings: OperatorSettings) -> None:
    mounts = _pod(LARGE, settings)["containers"][0]["volumeMounts"]
    assert {"name": "models", "mountPath": "/models/models", "readOnly": True} in mounts
