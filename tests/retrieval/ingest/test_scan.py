"""What of a source is seen, and what must not be followed or opened."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from retrieval.errors import DocumentError, DocumentUnavailableError
from retrieval.ingest.scan import MAX_DEPTH, File, SourceError, _open_below, exists, read, scan
from tests.retrieval.ingest.test_parse import LIMITS


@pytest.fixture
def source(tmp_path: Path) -> Path:
    made = tmp_path / "source"
    made.mkdir()
    return made


def by_path(files: Iterable[File]) -> list[File]:
    return sorted(files, key=lambda file: file.path)


def seen(source: Path) -> dict[str, File]:
    return {file.path: file for file in scan(str(source), by_path)}


def test_files_are_seen_below_directories_and_hidden_ones_are_not(source: Path) -> None:
    for name in ("a.txt", "deep/er/b.txt", ".hidden.txt", ".git/c.txt", "deep/.d.txt"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name)
    files = seen(source)
    assert list(files) == ["a.txt", "deep/er/b.txt"]
    assert read(files["deep/er/b.txt"], LIMITS) == b"deep/er/b.txt"


def test_a_source_may_be_one_file(source: Path) -> None:
    (source / "a.txt").write_text("a")
    (source / "b.txt").write_text("b")
    files = seen(source / "a.txt")
    assert list(files) == ["a.txt"]
    assert read(files["a.txt"], LIMITS) == b"a"


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=f"{tmp_path}/none .*No such file"):
        scan(str(tmp_path / "none"), list)


def test_a_link_that_leads_out_is_refused_and_one_inside_is_read(source: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (source / "..data").mkdir()
    (source / "..data" / "real.txt").write_text("real")
    (source / "inside.txt").symlink_to("..data/real.txt")
    (source / "outside.txt").symlink_to(tmp_path / "secret.txt")
    (source / "parent").symlink_to(tmp_path)
    (source / "loop").symlink_to(source)
    (source / "dangling.txt").symlink_to("nothing")
    files = seen(source)
    assert sorted(files) == ["inside.txt", "outside.txt", "parent"]
    assert read(files["inside.txt"], LIMITS) == b"real"
    for name in ("outside.txt", "parent"):
        with pytest.raises(DocumentError, match="leads out") as refused:
            read(files[name], LIMITS)
        assert refused.value.reason == "OutsideSource"


def test_a_link_that_leads_back_to_itself_is_refused_and_the_rest_is_seen(source: Path) -> None:
    (source / "one.txt").symlink_to("two.txt")
    (source / "two.txt").symlink_to("one.txt")
    (source / "a.txt").write_text("a")
    files = seen(source)
    assert list(files) == ["a.txt", "one.txt", "two.txt"]
    with pytest.raises(DocumentError, match="leads back to itself") as refused:
        read(files["one.txt"], LIMITS)
    assert refused.value.reason == "Unreadable"
    with pytest.raises(SourceError, match=r"one\.txt cannot be read"):
        scan(str(source / "one.txt"), list)


@pytest.mark.parametrize("path", ["relative/docs", "/docs/../etc", "", "/a\0b"])
def test_a_source_that_is_not_an_absolute_path_is_named_and_never_followed(path: str) -> None:
    with pytest.raises(SourceError, match="is not an absolute path"):
        scan(path, list)
    assert not exists(path)


def test_a_file_that_went_away_after_the_scan_is_unavailable_and_not_rejected(source: Path) -> None:
    (source / "a.txt").write_text("a")
    file = seen(source)["a.txt"]
    (source / "a.txt").unlink()
    with pytest.raises(DocumentUnavailableError, match="No such file"):
        read(file, LIMITS)


def test_a_file_that_goes_away_during_the_scan_is_not_seen(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (source / "a.txt").write_text("a")
    monkeypatch.setattr(Path, "is_file", lambda path: path.unlink() is None)
    assert seen(source) == {}


@pytest.mark.parametrize("replaced", ["a.txt", "sub"])
def test_a_link_put_in_the_way_after_the_scan_is_not_followed(source: Path, tmp_path: Path, replaced: str) -> None:
    (tmp_path / "out").mkdir()
    for folder in (tmp_path / "out", source / "sub"):
        folder.mkdir(exist_ok=True)
        (folder / "a.txt").write_text(str(folder))
    (source / "a.txt").write_text("a")
    file = seen(source)["a.txt" if replaced == "a.txt" else "sub/a.txt"]
    (source / replaced).rename(tmp_path / "moved")
    (source / replaced).symlink_to(tmp_path / "out" / "a.txt" if replaced == "a.txt" else tmp_path / "out")
    with pytest.raises(DocumentError, match="leads out"):
        read(file, LIMITS)


@pytest.mark.parametrize("path", ["link.txt", "sub/a.txt"])
def test_a_link_put_in_the_way_after_every_check_is_not_followed(source: Path, tmp_path: Path, path: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.txt").write_text("secret")
    (source / "link.txt").symlink_to(tmp_path / "out" / "a.txt")
    (source / "sub").symlink_to(tmp_path / "out")
    with pytest.raises(OSError, match=r"symbolic links|Not a directory"):
        _open_below(source, source / path)


@pytest.mark.parametrize("exchanged", ["acme", "acme/docs"])
def test_a_directory_that_is_exchanged_for_a_link_to_anothers_is_neither_seen_nor_read(
    tmp_path: Path, exchanged: str
) -> None:
    """Wherever on the way to the source, and whenever."""
    for tenant in ("acme", "globex"):
        (tmp_path / tenant / "docs").mkdir(parents=True)
        (tmp_path / tenant / "docs" / "a.txt").write_text(tenant)
    (file,) = scan(str(tmp_path / "acme" / "docs"), list)
    (tmp_path / exchanged).rename(tmp_path / "moved")
    (tmp_path / exchanged).symlink_to(tmp_path / exchanged.replace("acme", "globex"))
    with pytest.raises(DocumentError):
        read(file, LIMITS)
    with pytest.raises(SourceError, match="cannot be read"):
        scan(file.source, list)


def test_a_directory_that_is_exchanged_during_the_scan_is_read_again(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "a.txt").write_text("a")
    is_file = Path.is_file

    def exchanged(path: Path) -> bool:
        source.rename(tmp_path / "moved")
        source.mkdir()
        (source / "a.txt").write_text("b")
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", exchanged)
    with pytest.raises(SourceError, match="replaced"):
        scan(str(source), list)


def test_a_pipe_is_not_a_document(source: Path) -> None:
    os.mkfifo(source / "pipe.txt")
    assert seen(source) == {}
    file = File(str(source), "pipe.txt", 0, 0.0, "")
    with pytest.raises(DocumentError, match="not a regular file"):
        read(file, LIMITS)


def test_a_tree_without_end_is_seen_to_a_depth(source: Path) -> None:
    folder = source
    for _level in range(MAX_DEPTH + 2):
        folder /= "d"
        folder.mkdir()
        (folder / "a.txt").touch()
    assert len(seen(source)) == MAX_DEPTH


def test_a_file_of_200_megabytes_is_refused_by_its_size_unread(source: Path) -> None:
    with (source / "big.pdf").open("wb") as big:
        big.truncate(200_000_000)
    with pytest.raises(DocumentError, match="200,000,000 bytes, over the limit of 50,000,000") as refused:
        read(seen(source)["big.pdf"], LIMITS)
    assert refused.value.reason == "TooLarge"


def test_a_file_that_grows_after_the_scan_is_refused_too(source: Path) -> None:
    (source / "a.txt").write_text("small")
    file = seen(source)["a.txt"]
    (source / "a.txt").write_text("x" * 100)
    with pytest.raises(DocumentError, match="over the limit of 50"):
        read(file, replace(LIMITS, file_bytes=50))


def test_the_signature_changes_with_the_content(source: Path) -> None:
    (source / "a.txt").write_text("one")
    before = seen(source)["a.txt"].signature
    (source / "a.txt").write_text("two")
    assert seen(source)["a.txt"].signature != before
