import socket
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from contract.api_key import key_digest
from contract.knowledge_base import Document, KnowledgeBase, KnowledgeBaseStatus
from contract.objects import collect
from contract.snapshot import Problem, Snapshot
from operators.check import Check
from operators.cli import main
from operators.cli.asking import explained, shown
from operators.local import doctor, snapshots
from operators.local.directory import STATE, Contents, read
from operators.local.layout import Layout
from operators.local.lock import AlreadyRunningError, alone
from operators.local.progress import Progress
from operators.settings import Settings
from tests.operators import objects

TENANT = """
apiVersion: quiver.dev/v1alpha1
kind: Tenant
metadata: {name: acme}
spec: {namespace: team-acme}
"""

BASE = """
apiVersion: quiver.dev/v1alpha1
kind: BaseModel
metadata: {name: m}
spec: {source: a/b, tenants: [acme]}
"""


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tenant.yaml").write_text(TENANT)
    return tmp_path


def test_a_key_is_shown_once_and_only_its_digest_is_kept(root: Path) -> None:
    (root / "base.yaml").write_text(BASE)
    key = _run(
        "keys", "create", root, "--tenant", "acme", "--name", "first", "--days", 3, "--model", "m"
    ).output.strip()
    written = (root / "key-acme-first.yaml").read_text()
    assert key not in written
    (found,) = read(root, Contents()).objects.api_keys
    assert found.spec.sha256 == key_digest(key)
    assert found.namespace == "team-acme"
    assert found.spec.models == ("m",)
    assert found.spec.expires_at is not None


def test_keys_are_never_the_same(root: Path) -> None:
    keys = {_run("keys", "create", root, "--tenant", "acme", "--name", name).output for name in ("a", "b", "c")}
    assert len(keys) == 3


def test_a_key_is_not_written_over_another(root: Path) -> None:
    _run("keys", "create", root, "--tenant", "acme", "--name", "first")
    before = (root / "key-acme-first.yaml").read_text()
    again = _run("keys", "create", root, "--tenant", "acme", "--name", "first")
    assert again.exit_code == 1
    assert "choose another --name" in again.output
    assert (root / "key-acme-first.yaml").read_text() == before


def test_a_key_for_a_tenant_that_is_not_there_names_those_that_are(root: Path) -> None:
    found = _run("keys", "create", root, "--tenant", "globex", "--name", "first")
    assert found.exit_code == 1
    assert "holds no Tenant globex; it has acme" in found.output


def test_objects_are_shown_with_the_fact_that_people_ask_for_and_files_with_their_problem(root: Path) -> None:
    (root / STATE).mkdir()
    snapshot = Snapshot(
        objects=objects.two_tenants(objects.adapter()), problems=(Problem(file="a.yaml", message="holds no object"),)
    )
    snapshots.write(root / STATE / "snapshot.json", snapshot)
    shown = _run("get", root).output
    assert "Adapter" in shown
    assert "no version" in shown
    assert "a.yaml: holds no object" in shown
    assert "Tenant" not in _run("get", root, "adapters").output


def test_documents_are_shown_one_by_one_and_their_names_forge_no_line(root: Path) -> None:
    (root / STATE).mkdir()
    base = objects.knowledge_base()
    assert isinstance(base, KnowledgeBase)
    documents = (Document(path="a\n\x1b[31mb.md", state="Failed", message="it is empty"),)
    base = base.model_copy(update={"status": KnowledgeBaseStatus(documents=documents)})
    snapshots.write(root / STATE / "snapshot.json", Snapshot(objects=objects.two_tenants(base)))
    header, row = _run("get", root, "documents").stdout.splitlines()
    assert header.split()[:2] == ["NAMESPACE", "KNOWLEDGE"]
    assert "a\\n\\x1b[31mb.md" in row
    assert "it is empty" in row


def test_get_before_any_run_says_so(root: Path) -> None:
    found = _run("get", root)
    assert found.exit_code == 1
    assert "has never run" in found.output


def test_two_runs_on_one_directory_do_not_happen(root: Path) -> None:
    layout = Layout(root=root, runtime=root, gateway_port=0, engine_python=root, embedder={}, environment={})
    with alone(layout), pytest.raises(AlreadyRunningError, match="stop that one first"), alone(layout):
        pass
    with alone(layout):
        pass


def test_progress_says_only_what_is_new() -> None:
    progress = Progress()
    first = Snapshot(objects=objects.two_tenants(objects.adapter()))
    assert len(list(progress.news(first))) == 4
    assert list(progress.news(first)) == []
    assert list(progress.news(Snapshot(objects=objects.two_tenants()))) == ["Adapter acme/support: removed"]


def test_progress_says_every_problem_of_a_file_and_when_none_is_left() -> None:
    progress = Progress()
    one, two = Problem(file="a.yaml", message="first"), Problem(file="a.yaml", message="second")
    assert list(progress.news(Snapshot(problems=(one, two)))) == ["a.yaml: first", "a.yaml: second"]
    assert list(progress.news(Snapshot(problems=(two,)))) == []
    assert list(progress.news(Snapshot())) == ["a.yaml: readable again"]


def test_a_key_of_a_name_that_another_file_has_is_not_printed(root: Path) -> None:
    made = _run("keys", "create", root, "--tenant", "acme", "--name", "first")
    (root / "key-acme-first.yaml").rename(root / "elsewhere.yaml")
    again = _run("keys", "create", root, "--tenant", "acme", "--name", "first")
    assert made.exit_code == 0
    assert again.exit_code == 1
    assert again.stdout == ""
    assert "APIKey team-acme/first is in elsewhere.yaml already; choose another --name" in again.output
    assert not (root / "key-acme-first.yaml").exists()


@pytest.mark.parametrize("arguments", [("--name", "My Key"), ("--name", "first", "--model", "../x")])
def test_what_is_no_name_is_refused_with_the_rule(root: Path, arguments: tuple[str, ...]) -> None:
    found = _run("keys", "create", root, "--tenant", "acme", *arguments)
    assert found.exit_code == 2
    assert "is not a valid name; write lower-case letters" in found.output


def test_a_tenant_whose_file_is_broken_is_missing_with_the_file(root: Path) -> None:
    (root / "tenant.yaml").write_text("]")
    found = _run("keys", "create", root, "--tenant", "acme", "--name", "first")
    assert found.exit_code == 1
    assert "holds no Tenant acme; it has none; tenant.yaml is not readable" in found.output


def test_get_of_what_is_no_kind_names_the_kinds(root: Path) -> None:
    found = _run("get", root, "nonsense")
    assert found.exit_code == 1
    assert (
        "nonsense is not a valid kind; the kinds are APIKey, Adapter, BaseModel, Evaluation, FineTune, KnowledgeBase, "
        "Tenant" in found.output
    )


def test_get_says_when_nothing_runs_any_more(root: Path) -> None:
    layout = Layout(root=root, runtime=root, gateway_port=0, engine_python=root, embedder={}, environment={})
    with alone(layout):
        assert _run("get", root).stderr == ""
        snapshots.write(layout.snapshot, Snapshot())
    assert "is not running" in _run("get", root).stderr


def test_a_port_beyond_the_last_one_is_refused() -> None:
    for command in (("doctor",), ("up", ".")):
        found = _run(*command, "--port", 70000)
        assert found.exit_code == 2
        assert "70000 is not in the range" in found.output


def _check(root: Path, what: str, *, python: Path, port: int = 1) -> Check:
    checks = doctor.examine(Settings(engine_python=python, embedder=str(root)), port, root)
    return next(check for check in checks if check.what == what)


def test_the_doctor_looks_for_the_files_of_an_embedder_but_not_of_a_server(root: Path) -> None:
    assert "lacks model.onnx" in _check(root, "embedder", python=root).fact
    by_address = Settings(engine_python=root, embedder="http://127.0.0.1:9", embedder_model="e5")
    assert "embedder" not in {check.what for check in doctor.examine(by_address, 1, root)}
    assert by_address.embedder_variables["EMBEDDER_MODEL"] == "e5"


def test_the_doctor_says_that_a_port_is_in_use(root: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert _check(root, "port", python=root, port=port).fact == f"{port} on 127.0.0.1 is in use"


@pytest.mark.parametrize("text", ["#!/no/such/interpreter", "not a program", "#!/bin/true", "#!/bin/sh\nexec sleep 60"])
def test_an_engines_python_that_is_none_is_a_fact_and_no_crash(
    root: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "ANSWER_S", 0.5)
    python = root / "python"
    python.write_text(text)
    python.chmod(0o755)
    found = _check(root, "engine", python=python)
    assert not found.holds
    assert "is not a Python that runs" in found.fact
    python.chmod(0o644)
    assert not _check(root, "engine", python=python).holds


def test_the_doctor_looks_at_the_disk_of_the_objects(root: Path) -> None:
    assert str(root) in _check(root, "disk", python=root).fact


def test_a_path_with_a_space_is_refused_for_its_reason(root: Path) -> None:
    found = _check(root, "engine", python=root / "my engine" / "python")
    assert not found.holds
    assert "has a space in its path" in found.fact


def test_a_machine_without_a_compiler_is_told_what_that_means(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(root))
    found = _check(root, "compiler", python=root)
    assert found.holds
    assert found.fact.startswith("none")


def test_a_key_for_a_name_that_the_tenant_does_not_have_is_refused(root: Path) -> None:
    (root / "base.yaml").write_text(BASE)
    found = _run("keys", "create", root, "--tenant", "acme", "--name", "k", "--model", "nosuch")
    assert found.exit_code == 1
    assert "tenant acme has no model nosuch; it has all-minilm-l6-v2, m" in found.output
    assert list(root.glob("key-*")) == []


def test_keys_are_listed_and_revoked(root: Path) -> None:
    key = _run("keys", "create", root, "--tenant", "acme", "--name", "first").output.strip()
    listed = _run("keys", "list", root).output
    assert "first" in listed
    assert key[:7] in listed
    assert key not in listed
    assert _run("keys", "revoke", root, "--tenant", "acme", "--name", "other").exit_code == 1
    assert _run("keys", "revoke", root, "--tenant", "acme", "--name", "first").exit_code == 0
    assert "first" not in _run("keys", "list", root).output
    assert list(root.glob("key-*")) == []


def test_one_object_is_described_whole_and_logs_are_named(root: Path) -> None:
    layout = Layout(root=root, runtime=root, gateway_port=0, engine_python=root, embedder={}, environment={})
    with alone(layout):
        snapshots.write(layout.snapshot, Snapshot(objects=collect((objects.tenant(),))))
        (layout.logs / "gateway.log").write_text("one\ntwo\nthree\n")
        found = yaml.safe_load(_run("describe", root, "tenant", "acme").output)
        assert (found["kind"], found["metadata"]["name"]) == ("Tenant", "acme")
        assert "it has acme" in _run("describe", root, "tenant", "nobody").output
        assert _run("logs", root).output == "gateway\n"
        assert _run("logs", root, "gateway", "--lines", 2).output == "two\nthree\n"
        assert "it has gateway" in _run("logs", root, "engine").output


def test_a_question_needs_a_running_directory_and_a_whole_name(root: Path) -> None:
    assert "write TENANT/MODEL" in _run("ask", root, "support", "why?").output
    assert "start it with quiver up" in _run("ask", root, "acme/support", "why?").output


def test_an_answer_is_shown_with_each_cited_passage_once() -> None:
    citation = {
        "start_index": 8, "end_index": 11, "title": "refunds.md", "text": "The window is 30 days.",
        "dated": "2026-11-02", "contradicted_by": [],
    }  # fmt: skip
    notes = [{"url_citation": citation}, {"url_citation": citation}]
    assert shown({"content": "30 days [1]", "annotations": notes}) == (
        "30 days [1]\n[1] refunds.md: The window is 30 days."
    )
    other = {"title": "old.md", "text": "The window is 14 days.", "dated": "2025-03-01"}
    contradicted = [{"url_citation": citation | {"contradicted_by": [other]}}]
    assert shown({"content": "30 days [1]", "annotations": contradicted}).splitlines()[1:] == [
        "[1] refunds.md of 2026-11-02: The window is 30 days.",
        "but old.md of 2025-03-01: The window is 14 days.",
    ]


def test_the_version_is_said() -> None:
    assert version("quiver") in _run("--version").output


def test_every_passage_is_explained_with_its_relevance_and_its_mark() -> None:
    passages = [
        {"relevance": 0.912, "mark": 1, "document": "refunds.md", "text": "30 days"},
        {"relevance": 0.1, "mark": None, "document": "long.md", "text": "word " * 60},
    ]
    lines = explained({"outcome": "evidence", "min_relevance": 0.35, "passages": passages}).splitlines()
    assert lines[1:3] == ["Search: evidence; a relevance of 0.35 is needed.", "0.91 [1] refunds.md: 30 days"]
    assert lines[3].startswith("0.10 long.md: word word")
    assert len(lines[3]) <= 100
    assert explained(None).strip() == "No documents were searched."
