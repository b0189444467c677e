"""The claim that keeps a model, the job that fills it, and the engines that read it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.base_model import BaseModel
from operators.desired.engine_workload import Manifest, Platform, engine_workload
from operators.desired.fill_model_cache import wanted
from operators.desired.model_cache import claim, fill_job, job_name
from serving.agent.base import locate
from tests.operators import objects

PLATFORM = Platform(namespace="quiver", engine_image="engine:1", agent_image="agent:1", hub_secret="hub")


def _base(revision: str = "main", **spec: Any) -> BaseModel:
    given = {"source": f"hf://org/large@{revision}", "cache": {"size": "300Gi", "className": "fast"}, **spec}
    base = objects.base_model("large", **given)
    assert isinstance(base, BaseModel)
    return base


def _job(base: BaseModel) -> tuple[Manifest, Manifest]:
    pod: Manifest = fill_job(base, "u", PLATFORM)["spec"]["template"]["spec"]
    return pod, pod["containers"][0]


def test_a_claim_is_as_large_and_of_the_class_that_the_base_model_says() -> None:
    made = claim(_base(), "u", PLATFORM)
    assert made["metadata"]["name"] == "model-large"
    assert made["metadata"]["ownerReferences"][0]["name"] == "large"
    assert made["spec"] == {
        "accessModes": ["ReadWriteMany"], "storageClassName": "fast", "resources": {"requests": {"storage": "300Gi"}},
    }  # fmt: skip


def test_the_job_fetches_the_revision_with_the_hubs_token_where_engines_run() -> None:
    pod, container = _job(_base("v2", pod={"nodeSelector": {"pool": "h100"}}))
    assert container["command"][3:] == ["org/large", "v2", "/model-cache/hub"]
    assert container["image"] == "engine:1"
    assert "nvidia.com/gpu" not in str(container["resources"])
    token = next(each for each in container["env"] if each["name"] == "HF_TOKEN")
    assert token["valueFrom"]["secretKeyRef"]["name"] == "hub"
    assert pod["nodeSelector"] == {"pool": "h100"}
    assert container["securityContext"]["readOnlyRootFilesystem"]


def test_another_source_is_another_job_and_another_size_is_not() -> None:
    assert job_name(_base("v1")) != job_name(_base("v2"))
    assert job_name(_base()) == job_name(_base(cache={"size": "400Gi"}))


def test_engines_read_the_claim_and_fetch_nothing() -> None:
    pod = engine_workload(_base(), uid="u", platform=PLATFORM)[0]["spec"]["template"]["spec"]
    assert {"name": "model-cache", "persistentVolumeClaim": {"claimName": "model-large", "readOnly": True}} in (
        pod["volumes"]
    )
    engine, agent = pod["containers"]
    environment = {each["name"]: each.get("value") for each in engine["env"]}
    assert environment["HF_HUB_OFFLINE"] == "1"
    assert environment["HF_HUB_CACHE"] == "/models/model-large/hub"
    assert {"name": "QUIVER_AGENT_HUB_CACHE", "value": "/models/model-large/hub"} in agent["env"]
    for container in (engine, agent):
        mount = {"name": "model-cache", "mountPath": "/models/model-large", "readOnly": True}
        assert mount in container["volumeMounts"]


@pytest.mark.parametrize("source", ["pvc://models/large", "/models/large"])
def test_only_a_model_of_the_hub_has_a_cache(source: str) -> None:
    with pytest.raises(ValueError, match="only a model of the hub"):
        _base(source=source)


names = st.lists(st.from_regex(r"(original/)?[a-z]{1,5}\.(safetensors|bin|pth|json|txt|md|py|gguf)", fullmatch=True))


@given(names)
def test_weights_are_fetched_in_one_form_and_never_from_folders(files: list[str]) -> None:
    chosen = set(wanted(files))
    assert chosen <= set(files)
    assert not any("/" in name for name in chosen)
    endings = {name.rpartition(".")[2] for name in chosen}
    assert not ("safetensors" in endings and endings & {"bin", "pth"})
    top = [name for name in files if "/" not in name]
    assert all(name in chosen for name in top if name.endswith((".safetensors", ".json")))


# The job itself, against a server that speaks as the hub does ------------------------------------------------------

FILES = {"config.json": b"{}", "model.safetensors": b"w" * 50_000, "model.bin": b"b" * 10, "README.md": b"read"}
COMMITS = {"main": "1" * 40, "v2": "2" * 40}


class _Hub(BaseHTTPRequestHandler):
    """What `huggingface_hub` asks for (https://huggingface.co/docs/hub/api)."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/api/models/org/large/tree/"):
            files = [
                {"type": "file", "path": name, "size": len(content), "oid": name} for name, content in FILES.items()
            ]
            self._answer(json.dumps(files).encode(), {"content-type": "application/json"}, with_body=True)
        elif path.startswith("/api/models/org/large"):
            self._model(path)
        else:
            self._file(path, with_body=True)

    def do_HEAD(self) -> None:
        self._file(self.path, with_body=False)

    def _model(self, path: str) -> None:
        revision = path.rpartition("/revision/")[2] if "/revision/" in path else "main"
        siblings = [{"rfilename": name, "size": len(content)} for name, content in FILES.items()]
        sha = COMMITS.get(revision, revision)
        answer = {"_id": "1", "id": "org/large", "sha": sha, "siblings": siblings, "tags": [], "downloads": 0,
                  "likes": 0, "private": False}  # fmt: skip
        self._answer(json.dumps(answer).encode(), {"content-type": "application/json"}, with_body=True)

    def _file(self, path: str, *, with_body: bool) -> None:
        if not path.startswith("/org/large/resolve/"):
            self.send_error(404)
            return
        revision, name = path.split("/")[4:]
        content = FILES[name] + revision.encode() if name == "config.json" else FILES[name]
        commit = COMMITS.get(revision, revision)
        self._answer(content, {"etag": f'"{hash((name, content))}"', "x-repo-commit": commit}, with_body=with_body)

    def _answer(self, content: bytes, headers: dict[str, str], *, with_body: bool) -> None:
        self.send_response(200)
        for name, value in {**headers, "content-length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def _hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _filled(folder: Path, revision: str, endpoint: str) -> "subprocess.CompletedProcess[str]":
    """Runs the job's command as its container would."""
    _, container = _job(_base(revision))
    source, repository, named = container["command"][2:5]
    environment = {
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(folder / "home"),
        "PATH": "/usr/bin",
        "HF_HUB_DISABLE_XET": "1",
    }
    command = [sys.executable, "-c", source, repository, named, str(folder / "hub")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def _revisions(folder: Path) -> set[str]:
    return {path.name for path in (folder / "hub").glob("models--org--large/snapshots/*")}


def test_a_filled_claim_has_what_engines_and_agents_look_for(tmp_path: Path) -> None:
    with _hub() as endpoint:
        done = _filled(tmp_path, "main", endpoint)
    assert done.returncode == 0, done.stdout + done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["bytes"] == last["total"] == len(FILES["config.json"]) + len(FILES["model.safetensors"])
    found = locate("hf://org/large@main", tmp_path / "hub")
    assert found
    assert {path.name for path in found.iterdir()} == {"config.json", "model.safetensors"}


def test_the_model_before_stays_for_engines_that_read_it_and_the_one_before_that_goes(tmp_path: Path) -> None:
    with _hub() as endpoint:
        for revision in ("main", "v2", "3" * 40):
            done = _filled(tmp_path, revision, endpoint)
            assert done.returncode == 0, done.stdout + done.stderr
    assert _revisions(tmp_path) == {"2" * 40, "3" * 40}


def test_a_hub_that_does_not_answer_is_named(tmp_path: Path) -> None:
    done = _filled(tmp_path, "main", "http://127.0.0.1:1")
    assert done.returncode == 1
    assert json.loads(done.stdout.splitlines()[-1])["error"].startswith("org/large: ")
