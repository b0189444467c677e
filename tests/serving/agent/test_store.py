import errno
import os
import shutil
from pathlib import Path

import pytest

from serving.agent.errors import RefusedError, UnavailableError
from serving.agent.store import Store
from serving.agent.verify import CONFIG, WEIGHTS
from tests.serving.agent.artifacts import RULES, config, write


def _store(tmp_path: Path, max_bytes: int = 10_000) -> Store:
    return Store(tmp_path / "store", max_bytes=max_bytes)


def _refusal(store: Store, source: Path, pinned: str | None = None) -> str:
    with pytest.raises(RefusedError) as caught:
        store.admit(source, RULES, pinned=pinned)
    assert sorted(path.name for path in store.root.iterdir()) == ["staging"]
    assert list((store.root / "staging").iterdir()) == []
    return caught.value.reason


def test_equal_content_has_one_digest_wherever_it_comes_from(tmp_path: Path) -> None:
    store = _store(tmp_path)
    first = store.admit(write(tmp_path / "one"), RULES, pinned=None)
    second = store.admit(write(tmp_path / "two"), RULES, pinned=first)
    assert first == second
    assert sorted(path.name for path in store.path(first).iterdir()) == sorted([CONFIG, WEIGHTS])


def test_a_change_of_either_file_is_another_digest(tmp_path: Path) -> None:
    store = _store(tmp_path)
    digests = {
        store.admit(write(tmp_path / "one"), RULES, pinned=None),
        store.admit(write(tmp_path / "two", settings=config(lora_alpha=17)), RULES, pinned=None),
    }
    assert len(digests) == 2


def test_what_was_admitted_stays_when_its_source_changes(tmp_path: Path) -> None:
    store = _store(tmp_path)
    source = write(tmp_path / "one")
    digest = store.admit(source, RULES, pinned=None)
    before = (store.path(digest) / CONFIG).read_bytes()
    write(source, settings=config(lora_alpha=99))
    assert (store.path(digest) / CONFIG).read_bytes() == before


def test_what_was_left_half_copied_is_gone_after_a_restart_and_what_was_admitted_is_not(tmp_path: Path) -> None:
    store = _store(tmp_path)
    digest = store.admit(write(tmp_path / "one"), RULES, pinned=None)
    (store.root / "staging" / "half").mkdir()
    again = _store(tmp_path)
    assert again.holds(digest)
    assert list((store.root / "staging").iterdir()) == []


def test_a_pin_that_does_not_match_refuses(tmp_path: Path) -> None:
    assert _refusal(_store(tmp_path), write(tmp_path / "one"), pinned="0" * 64) == "DigestMismatch"


def test_a_source_that_is_not_there_or_no_adapter_is_refused(tmp_path: Path) -> None:
    store = _store(tmp_path)
    assert _refusal(store, tmp_path / "missing") == "SourceMissing"
    (tmp_path / "empty").mkdir()
    assert _refusal(store, tmp_path / "empty") == "FileMissing"
    pickled = write(tmp_path / "pickled")
    (pickled / WEIGHTS).rename(pickled / "adapter_model.bin")
    assert _refusal(store, pickled) == "Pickle"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_links_pipes_and_directories_are_refused(tmp_path: Path, name: str) -> None:
    store = _store(tmp_path)
    for number, make in enumerate((_link, _pipe, _directory)):
        source = write(tmp_path / str(number))
        (source / name).unlink()
        make(source / name)
        assert _refusal(store, source) == "NotARegularFile"


def _link(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _directory(path: Path) -> None:
    path.mkdir()


def test_an_artifact_over_its_limit_is_refused_while_it_is_read(tmp_path: Path) -> None:
    assert _refusal(_store(tmp_path, max_bytes=500), write(tmp_path / "one")) == "TooLarge"


def test_a_full_disk_is_worth_another_try_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = _store(tmp_path)
    source = write(tmp_path / "one")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(UnavailableError) as caught:
            store.admit(source, RULES, pinned=None)
    assert caught.value.reason == "NoSpace"
    assert store.holds(store.admit(source, RULES, pinned=None))


def test_the_copy_is_what_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source is exchanged for a bad one after it was copied: what was verified is what is held."""
    store = _store(tmp_path)
    source = write(tmp_path / "one")
    copy = Store._copy

    def copy_then_exchange(self: Store, source: Path, staged: Path) -> str:
        digest = copy(self, source, staged)
        shutil.rmtree(source)
        write(source, content=b"evil")
        return digest

    monkeypatch.setattr(Store, "_copy", copy_then_exchange)
    digest = store.admit(source, RULES, pinned=None)
    assert b"evil" not in (store.path(digest) / WEIGHTS).read_bytes()
