"""The job of a training: what it may see, and what it may not."""

import json
from dataclasses import replace
from typing import Any

from contract.base_model import BaseModel
from contract.fine_tune import FineTune, Teacher
from contract.job import QUESTIONS, REFUSED
from operators.desired.engine_workload import Platform
from operators.desired.job_workload import clearing, credentials_of, job_workload, selector
from operators.desired.training import TrainingJob, training_job
from tests.operators import objects
from tuning.recipe import Recipe

PLATFORM = Platform(
    namespace="quiver", engine_image="engine:1", agent_image="agent:1", models="models", trainings="tuning",
    trainer_image="trainer:1", documents="documents", training_priority="batch",
)  # fmt: skip


def _job(credentials: dict[str, dict[str, str]] | None = None, start: str | None = None, **spec: Any) -> TrainingJob:
    tune, base = objects.fine_tune(**spec), objects.base_model(source="pvc://models/base")
    assert isinstance(tune, FineTune)
    assert isinstance(base, BaseModel)
    job = training_job(tune, base, "acme", start=None, credentials=credentials or {})
    return TrainingJob(**{**vars(job), "start": start})


def _pod(job: TrainingJob) -> dict[str, Any]:
    pod: dict[str, Any] = job_workload(job, PLATFORM)["spec"]["template"]["spec"]
    return pod


def _containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod["initContainers"], *pod["containers"]]


def test_a_pod_sees_its_tenants_folders_alone_and_has_no_rights() -> None:
    pod = _pod(_job())
    assert pod["automountServiceAccountToken"] is False
    assert pod["priorityClassName"] == "batch"
    for container in _containers(pod):
        assert container["securityContext"]["readOnlyRootFilesystem"]
        for mount in container["volumeMounts"]:
            if mount["name"] in ("trainings", "documents"):
                assert mount["subPath"] == "acme"
            assert mount["name"] == "trainings" or mount["name"] in ("cache", "tmp", "shm") or mount["readOnly"]


def test_faults_of_the_inputs_end_the_job_and_others_are_tried_again() -> None:
    spec = job_workload(_job(), PLATFORM)["spec"]
    rule, disruption = spec["podFailurePolicy"]["rules"]
    assert disruption["action"] == "Ignore"
    assert (rule["action"], rule["onExitCodes"]["values"]) == ("FailJob", [REFUSED])
    assert spec["backoffLimit"] > 0
    assert spec["template"]["spec"]["restartPolicy"] == "Never"  # what a failure policy needs


def test_the_trainer_gets_the_recipe_and_the_mounted_base() -> None:
    job = _job(method="QDoRA", hyperparameters={"rank": 8, "learningRate": 0.001}, search={"trials": 4, "minutes": 5})
    (trainer,) = _pod(job)["containers"]
    words = trainer["command"]
    given = dict(zip(words[3::2], words[4::2], strict=True))
    recipe = Recipe(**json.loads(given["--recipe"]))
    assert (recipe.method, recipe.rank, recipe.rate) == ("qdora", 8, 0.001)
    assert given["--base"] == "/models/models/base"
    assert json.loads(given["--search"]) == {"trials": 4, "minutes": 5}
    assert given["--folder"].startswith("/jobs/acme/runs/finetune.style.")


def test_a_teacher_is_asked_with_a_token_before_the_trainer_begins() -> None:
    job = replace(_job(teacher={"model": "base", "knowledgeBases": ["facts"]}), token="hunter2")
    fetch, trainer = _containers(_pod(job))
    words = trainer["command"]
    asking, training = words[: words.index("--")], words[words.index("--") + 1 :]
    assert asking[1:3] == ["-m", "operators.evaluation.teaching"]
    assert Teacher.model_validate_json(asking[asking.index("--teacher") + 1]).knowledge_bases == ("facts",)
    assert training[1:3] == ["-m", "tuning.trainer.job"]
    assert f"/jobs/{job.folder}/{QUESTIONS}" in fetch["command"]
    (key,) = (each for each in trainer["env"] if each["name"] == "QUIVER_API_KEY")
    assert key["valueFrom"]["secretKeyRef"]["key"] == "token"
    assert "hunter2" not in json.dumps(job_workload(job, PLATFORM))
    secret = credentials_of(job, PLATFORM, "uid")
    assert secret
    assert secret["stringData"] == {"token": "hunter2"}


def test_an_upload_is_fetched_with_a_token_that_the_trainer_does_not_get() -> None:
    job = replace(_job(data={"source": "upload://file-0"}), token="hunter2")
    fetch, trainer = _containers(_pod(job))
    environment = {each["name"]: each for each in fetch["env"]}
    assert environment["QUIVER_AGENT_GATEWAY_TOKEN"]["valueFrom"]["secretKeyRef"]["key"] == "token"
    assert environment["QUIVER_AGENT_GATEWAY_URL"]["value"] == PLATFORM.gateway_url
    assert "token" not in json.dumps(trainer["env"])


def test_a_training_without_a_teacher_asks_nobody() -> None:
    (trainer,) = _pod(_job())["containers"]
    assert "QUIVER_API_KEY" not in json.dumps(trainer["env"])
    assert "--" not in trainer["command"]


def test_the_trainer_is_not_given_the_credentials() -> None:
    job = _job({"data": {"AWS_SECRET_ACCESS_KEY": "hunter2"}})
    assert "hunter2" not in json.dumps(job_workload(job, PLATFORM))
    fetch, trainer = _containers(_pod(job))
    assert any(variable["name"] == "QUIVER_AGENT_CREDENTIALS" for variable in fetch["env"])
    assert "CREDENTIALS" not in json.dumps(trainer["env"])
    secret = credentials_of(job, PLATFORM, "uid")
    assert secret
    assert secret["metadata"]["ownerReferences"][0]["uid"] == "uid"
    assert json.loads(secret["stringData"]["credentials"])["data"] == {"AWS_SECRET_ACCESS_KEY": "hunter2"}
    assert credentials_of(_job(), PLATFORM, "uid") is None


def test_an_earlier_result_is_read_where_the_pod_sees_it() -> None:
    (fetch,) = _pod(_job(start="pvc://tuning/acme/versions/abc"))["initContainers"]
    assert fetch["command"][fetch["command"].index("--adapter") + 1] == "/jobs/acme/versions/abc"


def test_all_jobs_of_an_object_have_its_label_and_names_of_their_own() -> None:
    jobs = [job_workload(_job(hyperparameters={"epochs": epochs}), PLATFORM) for epochs in (1, 2)]
    label, _, value = selector(_job().key).partition("=")
    assert {job["metadata"]["labels"][label] for job in jobs} == {value}
    names = {job["metadata"]["name"] for job in jobs}
    assert len(names) == 2
    assert max(map(len, names)) <= 63


def test_clearing_reaches_one_tenants_folder() -> None:
    (container,) = clearing("acme", "", "", PLATFORM)["spec"]["template"]["spec"]["containers"]
    assert container["command"][-2:] == ["/jobs/acme", ""]
    assert container["volumeMounts"] == [{"name": "trainings", "mountPath": "/jobs/acme", "subPath": "acme"}]
