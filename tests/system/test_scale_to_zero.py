"""An engine that nobody asks stops, and the first request afterwards waits for it and is answered."""

import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import openai
import psutil
import pytest
import yaml

from benchmarks import quality
from benchmarks.load import QUESTION
from examples.demo.platform import Platform, running
from models.demo.corpus import Example

HELLO: Any = [{"role": "user", "content": QUESTION}]
IDLE_S = 5
START_LIMIT_S = 300
CALLERS = 4


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, questions: list[Example]) -> Iterator[Platform]:
    root = quality.objects(tmp_path_factory.mktemp("scale-to-zero") / "objects", questions)
    file = root / "platform.yaml"
    items = list(yaml.safe_load_all(file.read_text()))
    for item in items:
        if item["kind"] == "BaseModel":
            item["spec"]["autoscaling"] = {
                "minReplicas": 0, "maxReplicas": 1, "idleSeconds": IDLE_S, "holdSeconds": START_LIMIT_S,
            }  # fmt: skip
    file.write_text(yaml.safe_dump_all(items))
    with running(root, tenants=("acme",), out=sys.stderr) as found:
        found.wait_until_ready()
        yield found


def _ask(platform: Platform) -> str:
    with openai.OpenAI(
        base_url=platform.url, api_key=platform.keys["acme"], max_retries=0, timeout=START_LIMIT_S
    ) as client:
        answer = client.chat.completions.create(model="support", messages=HELLO, max_tokens=8, temperature=0)
    return answer.choices[0].message.content or ""


def _reasons(platform: Platform) -> set[str]:
    items = [*platform.objects("baseModels"), *platform.objects("adapters")]
    conditions = [condition for item in items for condition in item["status"]["conditions"]]
    return {each["reason"] for each in conditions if each["type"] == "Ready"}


def _engines(platform: Platform) -> list[psutil.Process]:
    return [child for child in psutil.Process(platform.process.pid).children() if _is_engine(child)]


def _is_engine(process: psutil.Process) -> bool:
    try:
        return any("vllm" in word for word in process.cmdline())
    except psutil.Error:  # it ends at this moment
        return False


def _wait_until_stopped(platform: Platform) -> None:
    platform.wait_until(lambda: not _engines(platform), what="the end of the engine", limit_s=60)
    platform.wait_until(lambda: _reasons(platform) == {"ScaledToZero"}, what="the word", limit_s=30)


def test_an_idle_engine_stops_and_the_next_requests_are_all_answered_as_before(own: Platform) -> None:
    before = _ask(own)
    _wait_until_stopped(own)
    answers: list[str] = []
    callers = [threading.Thread(target=lambda: answers.append(_ask(own))) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert answers == [before] * CALLERS


def test_nothing_is_lost_around_the_end_of_an_engine(own: Platform) -> None:
    """Requests at about the moment when it stops."""
    expected = _ask(own)
    for wait_s in (IDLE_S - 0.5, IDLE_S + 0.5, IDLE_S + 1.5, IDLE_S + 2.5):
        time.sleep(wait_s)
        assert _ask(own) == expected
    _wait_until_stopped(own)


def test_a_caller_may_leave_while_it_waits(own: Platform) -> None:
    _wait_until_stopped(own)
    with (
        openai.OpenAI(base_url=own.url, api_key=own.keys["acme"], max_retries=0, timeout=1) as client,
        pytest.raises(openai.APITimeoutError),
    ):
        client.chat.completions.create(model="support", messages=HELLO, max_tokens=8)
    own.wait_until(lambda: _engines(own), what="the engine that it asked for", limit_s=30)
    assert _ask(own)
