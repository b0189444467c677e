from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from operators.api.api_key import key_digest
from operators.api.snapshot import Problem, Snapshot
from operators.cli import main
from operators.local import snapshots
from operators.local.directory import STATE, Contents, read
from operators.local.layout import Layout
from operators.local.lock import AlreadyRunningError, alone
from operators.local.progress import Progress
from tests.operators import objects

TENANT = """
apiVersion: quiver.dev/v1alpha1
kind: Tenant
metadata: {name: acme}
spec: {namespace: team-acme}
"""


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tenant.yaml").write_text(TENANT)
    return tmp_path


def test_a_key_is_shown_once_and_only_its_digest_is_kept(root: Path) -> None:
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


def test_get_before_any_run_shows_an_empty_table(root: Path) -> None:
    found = _run("get", root)
    assert found.exit_code == 0
    assert found.output.split() == ["KIND", "NAMESPACE", "NAME", "READY", "FACT", "MESSAGE"]


def test_two_runs_on_one_directory_do_not_happen(root: Path) -> None:
    layout = Layout(root=root, gateway_port=0, engine_python=root, embedder=root, environment={})
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
