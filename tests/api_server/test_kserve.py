"""A base model that KServe runs, with KServe's own controller."""

from collections.abc import Iterator
from functools import partial

import pytest

from contract.conditions import NO_KSERVE
from operators.desired.engine_workload import kserve_deployment, selector
from operators.desired.inference_service import MODEL
from tests.api_server.kserve import kserve
from tests.api_server.parts import PLATFORM, Data, free_lease, get, operator, reason, thing, wait_until
from tests.api_server.roles import grant, granted, refused, used
from tests.api_server.server import ApiServer

FILE = "kserve.yaml"
NAME = "engine-kserved"
AUTOSCALER = "serving.kserve.io/autoscalerClass"


@pytest.fixture(scope="module")
def platform(server: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    grant(server, "operator", "operator", "other", "kserve")
    grant(server, "operator", "kserve", file=FILE)
    with kserve(server, tmp_path_factory.mktemp("kserve")):
        free_lease(server)
        with operator(server, server.user("kserve"), KSERVE="true", IDENTITY="kserve"):
            yield server
            server.kubectl("delete", "basemodels", "--all")


def base(**spec: object) -> Data:
    return thing("BaseModel", "kserved", source="hf://org/model", runtime="KServe", **spec)


def writes(server: ApiServer) -> int:
    """What operators wrote to the InferenceService so far."""
    asked = (event for event in server.events() if event["user"]["username"] == "kserve")
    places = ((event["verb"], event.get("objectRef", {}).get("resource")) for event in asked)
    return sum(place == ("patch", "inferenceservices") for place in places)


def service(server: ApiServer) -> Data:
    return get(server, "inferenceservice", NAME, PLATFORM) or {}


def containers(server: ApiServer) -> dict[str, Data]:
    found = get(server, "deployment", kserve_deployment(NAME), PLATFORM) or {}
    return {c["name"]: c for c in found["spec"]["template"]["spec"]["containers"]} if found else {}


def test_an_installation_without_kserve_says_so(server: ApiServer) -> None:
    server.apply(base())
    with operator(server, IDENTITY="without-kserve"):
        free_lease(server)
        wait_until(partial(_says, server, NO_KSERVE), "the refusal")
    server.kubectl("delete", "basemodel", "kserved")


def _says(server: ApiServer, word: str) -> bool:
    return reason(server, "basemodel", "kserved") == word


def test_kserve_runs_the_same_pods(platform: ApiServer) -> None:
    platform.apply(base(replicas=2))
    wait_until(partial(containers, platform), "KServe's Deployment")
    deployment = get(platform, "deployment", kserve_deployment(NAME), PLATFORM) or {}
    pods = deployment["spec"]["template"]
    assert list(containers(platform)) == [MODEL, "agent"]
    assert service(platform)["metadata"]["labels"]["networking.kserve.io/visibility"] == "cluster-local"
    assert selector("kserved").items() <= pods["metadata"]["labels"].items()
    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert pods["spec"]["terminationGracePeriodSeconds"] > 600
    assert not pods["spec"]["automountServiceAccountToken"]
    assert get(platform, "service", NAME, PLATFORM)
    assert get(platform, "poddisruptionbudget", NAME, PLATFORM)


def test_other_engine_arguments_reach_its_deployment_and_nothing_is_written_twice(platform: ApiServer) -> None:
    platform.apply(base(replicas=2, engineArgs=["--max-num-seqs", "8"]))
    wait_until(lambda: "--max-num-seqs" in containers(platform)[MODEL]["command"], "the new arguments")
    written = writes(platform)
    platform.kubectl("annotate", "basemodel", "kserved", "looked-at=again")
    platform.apply(base(replicas=3, engineArgs=["--max-num-seqs", "8"]))
    wait_until(lambda: service(platform)["spec"]["predictor"]["minReplicas"] == 3, "three replicas")
    assert writes(platform) == written + 1


def test_an_autoscaler_of_ours_scales_what_kserve_runs(platform: ApiServer) -> None:
    platform.apply(base(autoscaling={"minReplicas": 1, "maxReplicas": 4, "tokensInFlight": 20000}))
    wait_until(lambda: get(platform, "hpa", NAME, PLATFORM), "the autoscaler")
    scaler = (get(platform, "hpa", NAME, PLATFORM) or {})["spec"]
    assert scaler["scaleTargetRef"]["name"] == kserve_deployment(NAME)
    assert [metric["type"] for metric in scaler["metrics"]] == ["Pods", "External"]
    wait_until(lambda: service(platform)["metadata"]["annotations"][AUTOSCALER] == "external",
               "KServe leaving the replicas alone")  # fmt: skip


def test_a_base_model_keeps_its_runtime(platform: ApiServer) -> None:
    with pytest.raises(RuntimeError, match="keeps its runtime"):
        platform.apply(thing("BaseModel", "kserved", source="hf://org/model", runtime="Deployment"))


def test_another_operator_finds_nothing_to_write_and_puts_right_what_somebody_changed(platform: ApiServer) -> None:
    """Whichever of the two leads; one may end itself for having lost the lease."""
    written = writes(platform)
    with operator(platform, platform.user("kserve"), KSERVE="true", IDENTITY="kserve-next"):
        free_lease(platform)
        platform.kubectl("annotate", "isvc", NAME, "-n", PLATFORM, "--overwrite", f"{AUTOSCALER}=hpa")
        wait_until(lambda: service(platform)["metadata"]["annotations"][AUTOSCALER] == "external", "the annotation")
    assert writes(platform) == written + 1


def test_the_verbs_of_the_chart_are_the_verbs_in_use(platform: ApiServer) -> None:
    """But for the watch, which is on record only once it has ended."""
    watch = ("serving.kserve.io", "inferenceservices", "watch")
    asked = {item for item in used(platform, "kserve") if item[0] == "serving.kserve.io"}
    assert asked | {watch} == granted("operator", FILE)
    assert refused(platform, "kserve") == []
