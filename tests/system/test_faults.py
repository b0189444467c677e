"""Parts die, callers leave, ports are taken: what callers are told, and how everything comes back."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import openai
import psutil
import pytest
from openai.types import Completion
from prometheus_client.parser import text_string_to_metric_families

from benchmarks import direct
from benchmarks.load import QUESTION, load
from examples.demo.platform import QUIVER, Platform, copy_objects, create_key, read_metrics
from operators.local.layout import free_port

STREAMS = 3
HELLO: Any = [{"role": "user", "content": QUESTION}]


def _engine_metric(platform: Platform, name: str) -> float:
    lines = direct.engine(platform).get("/metrics").splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"vllm:{name}{{"))


def test_the_engine_stops_working_for_a_caller_that_left(platform: Platform, acme: openai.OpenAI) -> None:
    """The request would run for hundreds of tokens; its caller leaves after the first."""
    before = _engine_metric(platform, "generation_tokens_total")
    stream = acme.completions.create(
        model="quiver-demo", prompt="The", max_tokens=900, temperature=1, stream=True, n=8,
        extra_body={"frequency_penalty": 2},
    )  # fmt: skip
    next(iter(stream))
    stream.close()
    platform.wait_until(lambda: _engine_metric(platform, "num_requests_running") == 0, what="an idle engine", limit_s=5)
    assert _engine_metric(platform, "generation_tokens_total") - before < 8 * 900


async def test_an_agent_that_is_killed_comes_back_and_no_caller_notices(
    platform: Platform,
) -> None:
    agent = platform.part("serving.agent")
    async with load(platform, model="api", callers=2) as found:
        await found.reach(5, "")
        agent.kill()
        gone = time.monotonic()
        await asyncio.to_thread(platform.wait_until, lambda: _is_another(platform, agent), what="new agent")
        await found.reach(len(found.answers) + 20, "")
    # The engine goes on without it, and what the agent held is known until the new one says otherwise.
    assert found.failures == []
    assert max(a.ended for a in found.answers) > gone


def test_an_engine_that_is_killed_comes_back_with_every_adapter_and_callers_are_told_when(
    platform: Platform, acme: openai.OpenAI, globex: openai.OpenAI
) -> None:
    engine = platform.part("vllm.entrypoints.openai.api_server")
    family = [engine, *engine.children(recursive=True)]
    before = _failures(platform)
    streams = [_begun_stream(acme) for _ in range(STREAMS)]
    engine.kill()
    for stream in streams:
        with pytest.raises(openai.APIError):
            list(stream)
    refusals: list[tuple[int, str | None]] = []

    def answers() -> bool:
        try:
            acme.chat.completions.create(model="support", messages=HELLO, max_tokens=1)
        except openai.InternalServerError as error:
            refusals.append((error.status_code, error.response.headers.get("retry-after")))
            time.sleep(0.2)
            return False
        return True

    platform.wait_until(answers, what="answer of the new engine", limit_s=240)
    assert refusals
    assert set(refusals) == {(503, "5")}
    # The first answer already finds every adapter in its place.
    for client, models in ((acme, ("quiver-demo", "support", "api")), (globex, ("desk", "brief"))):
        for model in models:
            assert client.chat.completions.create(model=model, messages=HELLO, max_tokens=1).choices
    assert [member for member in family if _runs(member)] == []
    # A stream that broke off had begun with 200.
    after = _failures(platform)
    assert after["broken"] - before["broken"] == STREAMS
    assert after["all"] - before["all"] == STREAMS + len(refusals)


def _begun_stream(client: openai.OpenAI) -> openai.Stream[Completion]:
    """Of hundreds of tokens."""
    stream = client.completions.create(
        model="quiver-demo", prompt="The", max_tokens=900, temperature=1, stream=True, n=4,
        extra_body={"frequency_penalty": 2},
    )  # fmt: skip
    next(iter(stream))
    return stream


def _failures(platform: Platform) -> dict[str, float]:
    """Of tenant acme: streams that broke off, and all requests that the platform failed."""
    families = text_string_to_metric_families(read_metrics(platform, platform.metrics_url))
    samples = [sample for family in families for sample in family.samples if sample.labels.get("tenant") == "acme"]
    broken = {"code": "200", "outcome": "engine_failed"}.items()
    return {
        "broken": sum(each.value for each in samples
                      if each.name == "quiver_gateway_requests_total" and broken <= each.labels.items()),
        "all": sum(each.value for each in samples if each.name == "quiver_gateway_failed_requests_total"),
    }  # fmt: skip


def test_a_port_in_use_is_said_at_once_and_nothing_is_started(platform: Platform, tmp_path: Path) -> None:
    root = copy_objects(tmp_path / "objects")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [QUIVER, "up", str(root), "--port", str(port)], capture_output=True, text=True, check=False, timeout=30
        )
    assert done.returncode == 1
    assert f"port: {port} on 127.0.0.1" in done.stderr
    assert "--port" in done.stderr
    assert not (root / ".quiver").exists()


def test_nothing_outlives_a_runner_that_is_killed(tmp_path: Path) -> None:
    """Not even what an engine has only just begun to start."""
    root = copy_objects(tmp_path / "objects")
    create_key(root, "acme")
    with subprocess.Popen(
        [QUIVER, "up", str(root), "--port", str(free_port())], stdout=subprocess.DEVNULL, stderr=sys.stderr
    ) as runner:
        _wait(lambda: len(_all_children(runner.pid)) >= 7)
        family = _all_children(runner.pid)
        os.kill(runner.pid, signal.SIGKILL)
    _wait(lambda: not [member for member in family if _runs(member)])


def _is_another(platform: Platform, agent: psutil.Process) -> bool:
    try:
        return platform.part("serving.agent").pid != agent.pid
    except (StopIteration, psutil.NoSuchProcess):
        return False


def _all_children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _wait(condition: Any, limit_s: float = 40) -> None:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < limit_s
        time.sleep(0.05)
