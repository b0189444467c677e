"""The disk of a run fills up, or cannot be written: callers go on, people are told, nothing acknowledged is lost."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from benchmarks import quality
from benchmarks.load import QUESTION
from examples.demo.platform import QUIVER, Platform, running
from models.demo.corpus import Example
from operators.local.layout import free_port
from tests.disk import fill, small_disk

# Of a tmpfs in which a run has room, and that is soon filled.
MEGABYTES = 192
SAID_WITHIN_S = 10.0


def _mounted(*options: str) -> bool:
    return subprocess.run(["mount", *options], check=False, capture_output=True).returncode == 0


@pytest.fixture
def root(tmp_path: Path, questions: list[Example]) -> Iterator[Path]:
    """A directory of objects whose state has a small disk of its own."""
    root = quality.objects(tmp_path / "objects", questions)
    state = root / ".quiver"
    state.mkdir()
    with small_disk(state, MEGABYTES):
        yield root


def _quiver(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([QUIVER, *words], capture_output=True, text=True, check=False, timeout=60)


def _source(platform: Platform) -> str:
    found = next(item for item in platform.objects("adapters") if item["metadata"]["name"] == "support")
    return str((found.get("status", {}).get("active") or {}).get("source", ""))


def _documents(platform: Platform) -> int:
    return sum(len(item.get("status", {}).get("documents", ())) for item in platform.objects("knowledgeBases"))


def test_a_full_disk_is_said_and_what_was_asked_meanwhile_is_done_once_there_is_room(root: Path) -> None:
    with running(root, tenants=("acme",), out=sys.stderr) as platform:
        platform.wait_until_ready()
        documents = _documents(platform)
        filler = fill(root / ".quiver")
        file = root / "acme.yaml"
        file.write_text(file.read_text().replace("./adapters/acme-support-v1", "./adapters/acme-support-v2"))
        (root / "documents" / "acme" / "handbook" / "news.md").write_text(
            "# News\n\nThe cellar of the museum opens at seven.\n"
        )

        platform.wait_until(
            lambda: "has no room left" in _quiver("get", str(root)).stderr, what="word of it", limit_s=SAID_WITHIN_S
        )
        decided = _quiver("rollback", str(root), "acme/support")
        assert decided.returncode == 1, decided.stdout
        assert "No space left" in decided.stderr
        with openai.OpenAI(base_url=platform.url, api_key=platform.keys["acme"], max_retries=0, timeout=60) as acme:
            for _ in range(20):
                answer = acme.chat.completions.create(
                    model="support", messages=[{"role": "user", "content": QUESTION}], max_tokens=4
                )
                assert answer.choices

        filler.unlink()
        platform.wait_until(lambda: _source(platform).endswith("v2"), what="the second version")
        platform.wait_until(lambda: _documents(platform) == documents + 1, what="the document")
        platform.wait_until_ready()
        assert _quiver("get", str(root)).stderr == ""


@pytest.fixture
def read_only(root: Path) -> Iterator[Path]:
    """The same objects where nobody can write, but into the state."""
    place = root.with_name("read-only")
    place.mkdir()
    assert _mounted("--rbind", str(root), str(place))
    assert _mounted("-o", "remount,bind,ro", str(place))
    yield place
    subprocess.run(["umount", "--recursive", "--lazy", str(place)], check=True)


def test_objects_that_cannot_be_written_are_served(read_only: Path) -> None:
    with running(read_only, tenants=(), out=sys.stderr) as platform:
        platform.wait_until_ready()


def test_a_state_that_cannot_be_written_is_named(root: Path) -> None:
    assert _mounted("-o", "remount,ro", str(root / ".quiver"))
    done = _quiver("up", str(root), "--port", str(free_port()))
    assert done.returncode == 1
    assert f"{root / '.quiver'} is read-only; make it writable" in done.stderr
