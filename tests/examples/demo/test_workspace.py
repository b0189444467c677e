"""A demo's directory: who may run it, and what a next run keeps of it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from examples.demo.workspace import AlreadyRunning, alone, clear, edits, prepare

# Another process that holds a lock until its input ends. `fcntl` alone: as a runner does it.
HOLD = (
    "import fcntl, sys; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); input()"
)


@contextmanager
def held_by_another(lock: Path) -> Iterator[int]:
    """The process that holds it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", HOLD, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdin
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        yield holder.pid
        holder.stdin.write("\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory as a first run leaves it: the tour's version 2, a key, a store."""
    root = tmp_path / "demo"
    assert prepare(root, fresh=False) == ()
    adapters = root / "acme.yaml"
    adapters.write_text(adapters.read_text().replace("acme-support-v1", "acme-support-v2"))
    (root / "key-acme-demo.yaml").write_text("a key that was shown once")
    (root / ".quiver").mkdir()
    (root / ".quiver" / "ingest.sqlite").write_text("a ledger")
    return root


def tree(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_a_second_demo_is_refused_with_the_process_that_runs_the_first(tmp_path: Path) -> None:
    root = tmp_path / "demo"
    with held_by_another(tmp_path / "demo.lock") as pid, pytest.raises(AlreadyRunning) as refused, alone(root):
        pytest.fail("two runs on one directory")
    assert str(refused.value).startswith(f"{root} is run by process {pid}; end it with Ctrl-C")
    with alone(root):
        assert not root.exists()


def test_the_lock_outlives_the_directory(root: Path) -> None:
    with alone(root):
        prepare(root, fresh=True)
        with pytest.raises(AlreadyRunning), alone(root):
            pytest.fail("two runs on one directory")


@pytest.mark.parametrize("edited", [False, True])
def test_a_directory_that_a_runner_holds_is_not_touched(root: Path, edited: bool) -> None:
    if edited:
        (root / "documents" / "acme" / "handbook" / "parking.md").write_text("4 dollars")
    before = tree(root)
    with held_by_another(root / ".quiver" / "lock") as pid:
        for touch in (lambda: clear(root), lambda: prepare(root, fresh=False), lambda: prepare(root, fresh=True)):
            with pytest.raises(AlreadyRunning, match=f"is run by process {pid};"):
                touch()
        assert tree(root) == {**before, ".quiver/lock": ""}


def test_without_edits_the_next_run_begins_anew(root: Path) -> None:
    assert prepare(root, fresh=False) == ()
    assert edits(root) == ()
    assert "acme-support-v1" in (root / "acme.yaml").read_text()
    assert {path.name for path in root.iterdir()} == {"acme.yaml", "globex.yaml", "platform.yaml", "documents"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("documents/acme/handbook/parking.md", "The parking fee of the Velmora shop is 4 dollars."),
        ("documents/acme/handbook/refunds.md", "# Refunds\n\nThere are none."),
        ("platform.yaml", "kind: BaseModel"),
        ("key-acme-mine.yaml", "a key of somebody's own"),
    ],
)
def test_an_edit_is_kept_with_the_state_and_named_until_a_fresh_start_is_asked_for(
    root: Path, name: str, text: str
) -> None:
    (root / name).write_text(text)
    assert prepare(root, fresh=False) == (name,)
    assert (root / name).read_text() == text
    assert "acme-support-v2" in (root / "acme.yaml").read_text()
    assert (root / ".quiver" / "ingest.sqlite").exists()
    assert not (root / "key-acme-demo.yaml").exists(), "it was shown once: the next run makes another"
    assert prepare(root, fresh=True) == ()
    assert edits(root) == ()
    assert not (root / ".quiver").exists()


def test_a_document_that_was_removed_is_an_edit(root: Path) -> None:
    (root / "documents" / "acme" / "handbook" / "routers.txt").unlink()
    assert prepare(root, fresh=False) == ("documents/acme/handbook/routers.txt",)
    assert not (root / "documents" / "acme" / "handbook" / "routers.txt").exists()
