import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.hostile import config, write
from serving.agent.adapter_config import CONFIG
from serving.agent.errors import RefusedError, UnavailableError
from serving.agent.store import Store
from serving.agent.weights import WEIGHTS
from tests.serving.agent.artifacts import RULES


def _arrived(store: Store, source: str = "one", **changes: Any) -> Path:
    return write(store.incoming(source), settings=config(**changes))


def _published(store: Store) -> list[str]:
    return sorted(path.name for path in store.root.iterdir() if path.name not in ("incoming", "leaving"))


def _refusal(store: Store, arrived: Path, pinned: str | None = None) -> str:
    with pytest.raises(RefusedError) as caught:
        store.admit(arrived, RULES, pinned=pinned)
    assert _published(store) == []
    assert not arrived.exists()
    return caught.value.reason


def test_equal_content_is_one_version_wherever_it_comes_from(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = store.admit(_arrived(store, "one"), RULES, pinned=None)
    second = store.admit(_arrived(store, "two"), RULES, pinned=first)
    assert first == second
    assert _published(store) == [first]
    assert sorted(path.name for path in store.path(first).iterdir()) == sorted([CONFIG, WEIGHTS])


def test_a_change_of_either_file_is_another_version(tmp_path: Path) -> None:
    store = Store(tmp_path)
    digests = {
        store.admit(_arrived(store), RULES, pinned=None),
        store.admit(_arrived(store, lora_alpha=17), RULES, pinned=None),
    }
    assert len(digests) == 2


def test_what_a_fetch_left_beside_the_files_is_not_published(tmp_path: Path) -> None:
    store = Store(tmp_path)
    arrived = _arrived(store)
    (arrived / "etag").write_text("x")
    digest = store.admit(arrived, RULES, pinned=None)
    assert not (store.path(digest) / "etag").exists()


def test_what_has_half_arrived_is_gone_after_a_restart(tmp_path: Path) -> None:
    arrived = _arrived(Store(tmp_path))
    Store(tmp_path)
    assert not arrived.exists()


def test_an_admitted_version_is_not_removed_before_its_fetch_has_ended(tmp_path: Path) -> None:
    store = Store(tmp_path)
    digest = store.admit(_arrived(store, "one"), RULES, pinned=None)
    store.remove(digest)
    assert _published(store) == [digest]
    store.discard("one")
    store.remove(digest)
    assert _published(store) == []


def test_a_pin_that_does_not_match_refuses(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert _refusal(store, _arrived(store), pinned="0" * 64) == "DigestMismatch"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_links_pipes_and_directories_are_refused(tmp_path: Path, name: str, kind: str) -> None:
    store = Store(tmp_path)
    arrived = _arrived(store)
    (arrived / name).unlink()
    {
        "link": lambda path: path.symlink_to("/etc/hostname"),
        "pipe": os.mkfifo,
        "directory": Path.mkdir,
    }[kind](arrived / name)
    assert _refusal(store, arrived) == "NotARegularFile"


def test_a_full_disk_is_worth_another_try_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    arrived = _arrived(store)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(UnavailableError) as caught:
            store.admit(arrived, RULES, pinned=None)
    assert caught.value.reason == "NoSpace"
    assert _published(store) == []
    assert store.holds(store.admit(arrived, RULES, pinned=None))


@pytest.mark.parametrize("damage", ["changed", "shortened", "gone"])
def test_a_version_that_the_disk_has_damaged_is_not_used_and_can_come_again(tmp_path: Path, damage: str) -> None:
    digest = Store(tmp_path).admit(_arrived(Store(tmp_path)), RULES, pinned=None)
    file = tmp_path / digest / WEIGHTS
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(content[:-1] + b"\x01" if damage == "changed" else content[:-4])
    store = Store(tmp_path)
    assert not store.check(digest, RULES)
    assert not store.holds(digest)
    assert store.admit(_arrived(store), RULES, pinned=digest) == digest
    assert store.check(digest, RULES)


def test_what_was_removed_is_gone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    digest = store.admit(_arrived(store, "one"), RULES, pinned=None)
    store.discard("one")
    store.remove(digest)
    store.remove(digest)
    assert not store.holds(digest)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


WORK = """
import sys
from pathlib import Path
from typing import Any
from serving.agent.store import Store
from benchmarks.hostile import config, write
from tests.serving.agent.artifacts import RULES
store = Store(Path(sys.argv[1]))
print("begun", flush=True)
number = 0
while True:
    number += 1
    digest = store.admit(write(store.incoming("x"), settings=config(lora_alpha=number)), RULES, pinned=None)
    store.discard("x")
    if number % 3 == 0:
        store.remove(digest)
"""


@pytest.mark.timeout(110)
def test_a_store_that_is_killed_at_any_moment_holds_whole_versions_only(tmp_path: Path) -> None:
    """Fifty kills of a process that admits and removes as fast as it can."""
    rng = random.Random(0)
    for _ in range(50):
        with subprocess.Popen([sys.executable, "-c", WORK, str(tmp_path)], stdout=subprocess.PIPE) as process:
            assert process.stdout
            process.stdout.readline()
            time.sleep(rng.uniform(0, 0.02))
            process.send_signal(signal.SIGKILL)
        for path in tmp_path.iterdir():
            if path.name not in ("incoming", "leaving"):
                assert sorted(file.name for file in path.iterdir()) == sorted([CONFIG, WEIGHTS])
    store = Store(tmp_path)
    assert store.digests
    assert all(store.check(digest, RULES) for digest in store.digests)
    assert list((tmp_path / "leaving").iterdir()) == []


def test_a_version_that_cannot_be_read_for_a_moment_is_not_thrown_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = Store(tmp_path).admit(_arrived(Store(tmp_path)), RULES, pinned=None)
    store = Store(tmp_path)

    def none_left(*args: object, **more: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", none_left)
        with pytest.raises(UnavailableError):
            store.check(digest, RULES)
    assert store.holds(digest)
    assert store.check(digest, RULES)
