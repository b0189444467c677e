"""The management API over HTTP, on a directory as `quiver up` has it. The test publishes what a run would."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from pydantic import SecretStr

from contract.api_key import APIKey, APIKeyStatus, Scope, new_key
from contract.conditions import ACCEPTED, condition
from contract.objects import AnyObject, collect, parse_object
from contract.snapshot import Snapshot
from operators.local import object_files, snapshots
from operators.local.directory import STATE
from operators.management import local_place
from operators.management.app import create_app
from operators.settings import ManagementSettings
from tests.operators import objects

PLATFORM = "p" * 32
CONSOLE = "c" * 32
HTTP = (200, 401, 403, 404)


@dataclass
class Run:
    """A directory, what a run has published of it, and the API on it."""

    root: Path
    client: TestClient
    keys: dict[str, str]
    items: list[AnyObject] = field(default_factory=list)

    def publish(self, *more: AnyObject) -> None:
        """As a run does after it has read the files."""
        files = sorted(self.root.glob("*.yaml"))
        written = [_accepted(parse_object(data)) for file in files for data in yaml.safe_load_all(file.read_text())]
        self.items = [*self.items, *more]
        snapshots.write(self.root / STATE / "snapshot.json", Snapshot(objects=collect([*self.items, *written])))

    def ask(self, method: str, path: str, key: str, **more: Any) -> Any:
        return self.client.request(method, path, headers={"authorization": f"Bearer {key}", **more.pop("headers", {})},
                                   **more)  # fmt: skip


def _accepted(item: AnyObject) -> AnyObject:
    status = APIKeyStatus(conditions=(condition(ACCEPTED, True, "Valid"),))
    return item.model_copy(update={"status": status}) if isinstance(item, APIKey) else item


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with running(tmp_path) as made:
        yield made


@contextmanager
def running(root: Path) -> Iterator[Run]:
    (root / STATE).mkdir()
    settings = ManagementSettings(
        directory=root, database=f"sqlite:///{root}/management.db", secret=SecretStr("s" * 48),
        platform_key=SecretStr(PLATFORM), console_token=SecretStr(CONSOLE), gateway_url="http://127.0.0.1:9",
    )  # fmt: skip
    keys, items = {}, [objects.base_model(), objects.tenant("acme"), objects.tenant("globex"), objects.adapter()]
    scopes: dict[str, list[Scope]] = {"boss": ["admin"], "editor": ["inference", "documents"], "reader": ["inference"]}
    for name, granted in scopes.items():
        keys[name], item = new_key("acme", name, name.encode().ljust(32), scopes=granted)
        items.append(_accepted(item))
    with TestClient(create_app(settings), client=("9.9.9.9", 1)) as client:
        made = Run(root, client, keys, items)
        made.publish()
        yield made


def _session(run: Run, key: str, **headers: str) -> Any:
    return run.client.post("/v1/sessions", json={"key": key}, headers=headers)


def test_a_session_is_as_good_as_its_key_until_it_is_closed(run: Run) -> None:
    opened = _session(run, run.keys["boss"]).json()
    assert opened["identity"] == {"object": "identity", "actor": "key boss", "tenant": "acme", "role": "admin",
                                  "scopes": ["admin"]}  # fmt: skip
    assert run.ask("GET", "/v1/session", opened["session"]).json() == opened["identity"]
    assert run.ask("DELETE", "/v1/session", opened["session"]).status_code == 200
    assert run.ask("GET", "/v1/session", opened["session"]).status_code == 401
    assert run.ask("GET", "/v1/session", run.keys["boss"]).status_code == 200


def test_a_revoked_key_ends_its_sessions(run: Run) -> None:
    session = _session(run, run.keys["reader"]).json()["session"]
    run.items = [item for item in run.items if item.name != "reader"]
    run.publish()
    assert run.ask("GET", "/v1/session", session).status_code == 401


def test_who_guesses_keys_has_to_wait_by_the_persons_address(run: Run) -> None:
    told = {"x-quiver-console": CONSOLE, "x-quiver-address": "1.1.1.1"}
    statuses = [_session(run, f"qv-acme-{number}", **told).status_code for number in range(7)]
    assert statuses == [401] * 5 + [429] * 2
    assert _session(run, run.keys["boss"], **told).status_code == 429
    assert _session(run, run.keys["boss"], **{**told, "x-quiver-address": "2.2.2.2"}).status_code == 200
    invented = {"x-quiver-console": "guess", "x-quiver-address": "1.1.1.1"}
    assert _session(run, run.keys["boss"], **invented).status_code == 200


def test_every_route_of_another_tenant_is_missing(run: Run) -> None:
    paths = run.client.get("/openapi.json").json()["paths"]
    routes = [(path, method.upper()) for path, methods in paths.items() if "{tenant}" in path for method in methods]
    assert len(routes) >= 10
    bodies = {
        "keys": {"name": "x"},
        "fine_tunes": {"name": "x", "spec": {}},
        "ratings": {"model": "m", "question": "q", "answer": "a", "is_right": True},
    }
    for path, method in routes:
        body = bodies.get(path.rpartition("/")[2], {}) if method == "POST" else None
        address = path.format(tenant="globex", name="x", rating_id="x")
        answer = run.ask(method, address, run.keys["boss"], json=body)
        unknown = run.ask(method, path.format(tenant="nobody", name="x", rating_id="x"), run.keys["boss"], json=body)
        assert (answer.status_code, unknown.status_code) == (404, 404), (method, path)
        assert answer.json()["error"]["message"].replace("globex", "nobody") == unknown.json()["error"]["message"]


@pytest.mark.parametrize(("method", "path", "least"), [
    ("GET", "/v1/tenants/acme", "reader"),
    ("GET", "/v1/tenants/acme/adapters", "reader"),
    ("GET", "/v1/tenants/acme/fine_tunes", "reader"),
    ("POST", "/v1/tenants/acme/fine_tunes", "boss"),
    ("DELETE", "/v1/tenants/acme/fine_tunes/nobody", "boss"),
    ("GET", "/v1/tenants/acme/evaluations", "reader"),
    ("GET", "/v1/tenants/acme/events", "reader"),
    ("GET", "/v1/tenants/acme/keys", "boss"),
    ("POST", "/v1/tenants/acme/keys", "boss"),
    ("DELETE", "/v1/tenants/acme/keys/nobody", "boss"),
    ("GET", "/v1/tenants/acme/changes", "boss"),
    ("POST", "/v1/tenants/acme/adapters/support/promote", "boss"),
    ("GET", "/v1/platform", "platform"),
])  # fmt: skip
def test_who_may_do_what(run: Run, monkeypatch: pytest.MonkeyPatch, method: str, path: str, least: str) -> None:
    monkeypatch.setattr(local_place, "TAKEN_UP_S", 0.0)
    monkeypatch.setattr("operators.management.routes.releases.OUTCOME_S", 0.0)
    callers = {"reader": run.keys["reader"], "editor": run.keys["editor"], "boss": run.keys["boss"]}
    if least == "platform":
        assert run.ask(method, path, PLATFORM).status_code == 200
        allowed = set()
    else:
        allowed = set(list(callers)[list(callers).index(least) :])
    bodies = {"keys": {"name": "new"}, "fine_tunes": {"name": "new", "spec": {}}}
    body = bodies.get(path.rpartition("/")[2], {})
    statuses = {name: run.ask(method, path, key, json=body if method == "POST" else None).status_code
                for name, key in callers.items()}  # fmt: skip
    assert {name for name, status in statuses.items() if status != 403} == allowed


def test_a_key_is_made_shown_once_and_revoked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_files, "write", _published(object_files.write, run))
    made = run.ask("POST", "/v1/tenants/acme/keys", run.keys["boss"], json={"name": "new", "scopes": ["documents"]})
    key = made.json()["key"]
    assert run.ask("GET", "/v1/session", key).json()["role"] == "editor"
    listed = run.ask("GET", "/v1/tenants/acme/keys", run.keys["boss"])
    assert key not in listed.text
    assert "new" in [each["name"] for each in listed.json()["data"]]
    again = run.ask("POST", "/v1/tenants/acme/keys", run.keys["boss"], json={"name": "new"})
    assert again.status_code == 409
    monkeypatch.setattr(object_files, "remove", _published(object_files.remove, run))
    assert run.ask("DELETE", "/v1/tenants/acme/keys/new", run.keys["boss"]).status_code == 200
    assert run.ask("GET", "/v1/session", key).status_code == 401


TEACHER = "support@" + "a" * 12
SPEC: dict[str, Any] = {
    "baseModel": "base", "data": {"source": "upload://file-1"}, "teacher": {"model": TEACHER},
}  # fmt: skip


def test_a_training_is_begun_once_and_removed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_files, "write", _published(object_files.write, run))
    monkeypatch.setattr(object_files, "remove", _published(object_files.remove, run))
    path, body = "/v1/tenants/acme/fine_tunes", {"name": "style", "spec": SPEC}
    assert run.ask("POST", path, run.keys["boss"], json=body).status_code == 200
    assert run.ask("POST", path, run.keys["boss"], json=body).status_code == 409
    (listed,) = run.ask("GET", path, run.keys["boss"]).json()["data"]
    assert (listed["metadata"]["name"], listed["spec"]["teacher"]["model"]) == ("style", TEACHER)
    assert run.ask("DELETE", f"{path}/style", run.keys["boss"]).status_code == 200
    assert run.ask("GET", path, run.keys["boss"]).json()["data"] == []
    assert run.ask("DELETE", f"{path}/style", run.keys["boss"]).status_code == 404


@pytest.mark.parametrize(("spec", "fact"), [
    ({}, "spec.baseModel"),
    ({**SPEC, "colour": "red"}, "spec.colour"),
    ({**SPEC, "method": "Full"}, "spec.method"),
    *(({**SPEC, "data": {"source": source}}, "upload://ID") for source in (
        "/documents/acme/x.jsonl", "file:///documents/globex/x.jsonl", "http://127.0.0.1/x.jsonl", "pvc://other/x.jsonl",
    )),
    ({**SPEC, "data": {"source": "upload://file-1", "credentials": "secret"}}, "without credentials"),
])  # fmt: skip
def test_a_training_that_is_no_object_is_refused_by_its_field(run: Run, spec: dict[str, Any], fact: str) -> None:
    answer = run.ask("POST", "/v1/tenants/acme/fine_tunes", run.keys["boss"], json={"name": "style", "spec": spec})
    assert answer.status_code == 422
    assert fact in answer.json()["error"]["message"]
    assert not list(run.root.glob("finetune-*"))


@pytest.mark.parametrize("models", [("base",), ("support",)])
def test_a_key_for_some_models_begins_no_training_with_others(run: Run, models: tuple[str, ...]) -> None:
    key, item = new_key("acme", "limited", b"l" * 32, scopes=["admin"], models=models)
    run.publish(_accepted(item))
    answer = run.ask("POST", "/v1/tenants/acme/fine_tunes", key, json={"name": "style", "spec": SPEC})
    assert answer.status_code == 403
    assert f"may use {models[0]} only" in answer.json()["error"]["message"]


def test_a_key_for_some_models_ends_no_training_of_others(run: Run) -> None:
    run.publish(objects.fine_tune())
    key, item = new_key("acme", "limited", b"l" * 32, scopes=["admin"], models=("support",))
    run.publish(_accepted(item))
    assert run.ask("DELETE", "/v1/tenants/acme/fine_tunes/style", key).status_code == 403


def test_a_key_for_some_models_trains_nothing_for_an_adapter_of_others(run: Run) -> None:
    run.publish(objects.adapter("follower", source="finetune://style"))
    key, item = new_key("acme", "limited", b"l" * 32, scopes=["admin"], models=("base", "support"))
    run.publish(_accepted(item))
    answer = run.ask("POST", "/v1/tenants/acme/fine_tunes", key, json={"name": "style", "spec": SPEC})
    assert answer.status_code == 403


def _published(work: Any, run: Run) -> Any:
    """What a run does next: it reads the files, and publishes."""

    def wrapped(*arguments: Any) -> None:
        work(*arguments)
        run.publish()

    return wrapped


def test_changes_are_recorded_refused_ones_too(run: Run) -> None:
    run.ask("POST", "/v1/tenants/acme/keys", run.keys["reader"], json={"name": "x"})
    run.ask("DELETE", "/v1/files/file-1", run.keys["reader"])
    recorded = run.ask("GET", "/v1/tenants/acme/changes", run.keys["boss"]).json()["data"]
    assert [(each["actor"], each["action"], each["outcome"], each["address"]) for each in recorded] == [
        ("key reader", "file.delete", 403, "9.9.9.9"),
        ("key reader", "key.create", 403, "9.9.9.9"),
    ]
    assert run.keys["reader"] not in str(recorded)


def test_a_change_whose_caller_leaves_has_no_outcome(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def leaving(*_arguments: object) -> None:
        raise RuntimeError("gone")

    monkeypatch.setattr(object_files, "write", leaving)
    with pytest.raises(RuntimeError):
        run.ask("POST", "/v1/tenants/acme/keys", run.keys["boss"], json={"name": "new"})
    (recorded,) = run.ask("GET", "/v1/tenants/acme/changes", run.keys["boss"]).json()["data"]
    assert (recorded["action"], recorded["outcome"]) == ("key.create", 0)


def test_two_people_who_decide_at_once_are_told(run: Run) -> None:
    stale = {"against": "a" * 64}
    answer = run.ask("POST", "/v1/tenants/acme/adapters/support/promote", run.keys["boss"], json=stale)
    assert (answer.status_code, "look at it again" in answer.json()["error"]["message"]) == (409, True)


def test_judgements_are_kept_by_tenant(run: Run) -> None:
    body = {"model": "support", "question": "How long?", "answer": "3 days", "is_right": False, "correction": "5 days"}
    kept = run.ask("POST", "/v1/tenants/acme/ratings", run.keys["reader"], json=body).json()
    (listed,) = run.ask("GET", "/v1/tenants/acme/ratings", run.keys["reader"]).json()["data"]
    assert listed == kept
    assert run.ask("DELETE", f"/v1/tenants/acme/ratings/{kept['id']}", run.keys["reader"]).status_code == 403
    assert run.ask("DELETE", f"/v1/tenants/acme/ratings/{kept['id']}", run.keys["editor"]).status_code == 200
    assert run.ask("GET", "/v1/tenants/acme/ratings", run.keys["reader"]).json()["data"] == []


def test_the_platform_sees_what_is_not_ready_and_no_documents(run: Run) -> None:
    shown = run.ask("GET", "/v1/platform", PLATFORM).json()
    assert {"kind": "Adapter", "namespace": "acme", "name": "support", "reason": "Waiting",
            "message": "not looked at yet"} in shown["not_ready"]  # fmt: skip
    assert [each["name"] for each in shown["tenants"]] == ["acme", "globex"]
    for path in ("/v1/files", "/v1/vector_stores", "/v1/deletions/d"):
        assert run.ask("GET", path, PLATFORM).status_code == 403
    assert run.ask("GET", "/v1/tenants/acme/ratings", PLATFORM).status_code == 403


def test_a_gateway_that_is_away_is_said(run: Run) -> None:
    answer = run.ask("GET", "/v1/files", run.keys["boss"])
    assert (answer.status_code, "try again" in answer.json()["error"]["message"]) == (503, True)
    assert run.client.get("/readyz").status_code == 200


def test_a_directory_that_never_ran_is_not_ready(run: Run) -> None:
    shutil.rmtree(run.root / STATE)
    assert "never run" in run.client.get("/readyz").json()["error"]["message"]


def test_the_document_lists_every_route(run: Run) -> None:
    paths = run.client.get("/openapi.json").json()["paths"]
    assert {"/v1/sessions", "/v1/platform", "/v1/tenants/{tenant}/keys", "/v1/tenants/{tenant}/adapters"} <= set(paths)
