"""What answers goes on answering, whatever happens to a part or to what an object says; and status says so."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import psutil
import pytest

from benchmarks import quality
from benchmarks.load import QUESTION, load
from examples.demo.platform import Platform, running
from models.demo.corpus import Example

HELLO: Any = [{"role": "user", "content": QUESTION}]
TRUE_WITHIN_S = 10.0
SHARED_MEMORY = Path("/dev/shm")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, questions: list[Example]) -> Iterator[Platform]:
    """A platform that these tests alone disturb."""
    root = quality.objects(tmp_path_factory.mktemp("engines") / "objects", questions)
    quality.lift_limits(root)
    with running(root, tenants=("acme",), out=sys.stderr) as found:
        found.wait_until_ready()
        yield found


def _ask(platform: Platform) -> str:
    with openai.OpenAI(base_url=platform.url, api_key=platform.keys["acme"], max_retries=0, timeout=60) as client:
        answer = client.chat.completions.create(model="support", messages=HELLO, max_tokens=8, temperature=0)
    return answer.choices[0].message.content or ""


def _ready(platform: Platform, kind: str) -> dict[str, Any]:
    conditions = platform.objects(kind)[0]["status"]["conditions"]
    found: dict[str, Any] = next(item for item in conditions if item["type"] == "Ready")
    return found


@contextmanager
def _edited(file: Path, old: str, new: str) -> Iterator[None]:
    text = file.read_text()
    assert text.count(old) == 1
    staged = file.with_name("edit~")
    staged.write_text(text.replace(old, new))
    staged.rename(file)
    try:
        yield
    finally:
        staged.write_text(text)
        staged.rename(file)


def _engine(platform: Platform) -> psutil.Process:
    """The only engine, once a roll that is under way has ended."""
    platform.wait_until(lambda: len(_endpoints(platform)) == 1, what="a single engine")
    return platform.part(_endpoints(platform)[0]["url"].removeprefix("unix:"))


def _endpoints(platform: Platform) -> list[dict[str, str]]:
    found: list[dict[str, str]] = platform.objects("baseModels")[0]["status"].get("endpoints", [])
    return found


def test_a_typo_in_a_models_source_stops_nothing_and_is_named(own: Platform) -> None:
    before, engine = _ask(own), _engine(own).pid
    source = str(quality.REPOSITORY / "models" / "demo" / "base")
    with _edited(own.root / "platform.yaml", f"source: {source}", "source: /nowhere/base"):
        own.wait_until(lambda: "/nowhere/base" in _ready(own, "baseModels").get("message", ""), what="the cause")
        assert _ready(own, "baseModels")["status"] == "True"
        assert _ask(own) == before
    own.wait_until(lambda: "/nowhere" not in _ready(own, "baseModels").get("message", ""), what="the typo's end")
    assert _engine(own).pid == engine
    assert _ask(own) == before


@pytest.mark.timeout(900)  # two engines share a core meanwhile
async def test_a_changed_base_model_is_rolled_under_load_and_no_request_fails(own: Platform) -> None:
    engine = _engine(own).pid
    with _edited(own.root / "platform.yaml", "maxModelLength: 1024", "maxModelLength: 1000"):
        # Callers without a pause keep a core busy, and the new engine's worker is bound to the same one.
        async with load(own, model="support", callers=2, pause_s=2) as answers:
            await answers.reach(20, "")
            await asyncio.to_thread(own.wait_until, lambda: not psutil.pid_exists(engine), what="the old engine's end")
            before = len(answers.answers)
            await answers.reach(before + 20, "")
        assert answers.failures == []
        assert _ready(own, "baseModels")["status"] == "True"
    own.wait_until(lambda: len(_endpoints(own)) == 2, what="the roll back")
    own.wait_until(lambda: len(_endpoints(own)) == 1, what="its end")
    assert _ask(own)


@pytest.mark.parametrize(
    ("module", "kind"),
    [("retrieval", "knowledgeBases"), ("retrieval.ingest", "knowledgeBases"), ("serving.gateway", "adapters")],
)
def test_a_part_that_is_stopped_is_said_to_be_down_and_started_again(own: Platform, module: str, kind: str) -> None:
    part = own.part(module)
    os.kill(part.pid, signal.SIGSTOP)
    begun = time.monotonic()
    own.wait_until(lambda: not psutil.pid_exists(part.pid), what="its end", limit_s=60)
    assert time.monotonic() - begun < TRUE_WITHIN_S
    own.wait_until(lambda: _ready(own, kind)["status"] == "False", what="the status", limit_s=TRUE_WITHIN_S)
    own.wait_until_ready()
    assert _ask(own)


@pytest.mark.parametrize("module", ["serving.agent", "serving.drift", "milvus_lite"])
def test_a_part_that_nobody_waits_for_is_started_again_as_well(own: Platform, module: str) -> None:
    part = own.part(module)
    os.kill(part.pid, signal.SIGSTOP)
    own.wait_until(lambda: not psutil.pid_exists(part.pid), what="its end", limit_s=60)
    own.wait_until_ready()
    assert _ask(own)


def test_an_engine_whose_worker_is_stopped_is_started_again_and_leaves_no_memory_behind(own: Platform) -> None:
    engine = _engine(own)
    shared = set(SHARED_MEMORY.iterdir())
    worker = next(child for child in engine.children(recursive=True) if "EngineCore" in child.name())
    os.kill(worker.pid, signal.SIGSTOP)
    own.wait_until(lambda: not psutil.pid_exists(engine.pid), what="its end", limit_s=60)
    own.wait_until(lambda: _ready(own, "baseModels")["status"] == "False", what="the status", limit_s=TRUE_WITHIN_S)
    own.wait_until_ready()
    assert _ask(own)
    assert len(set(SHARED_MEMORY.iterdir())) <= len(shared)
