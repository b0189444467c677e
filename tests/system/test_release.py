"""A version is released step by step, taken back by itself or by hand, and promoted."""

import asyncio
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import openai
import pytest
import yaml

from benchmarks.load import QUESTION, load
from examples.demo.platform import QUIVER, Platform

FIRST, SECOND = "ecords", "Thank you for asking"
CANARY = {"canary": {"steps": [{"weight": 30, "seconds": 1}], "checks": {"minRequests": 15}}}


def _status(platform: Platform) -> dict[str, Any]:
    found = next(a for a in platform.objects("adapters") if a["metadata"]["name"] == "support")
    status: dict[str, Any] = found["status"]
    return status


@contextmanager
def _support(platform: Platform) -> Iterator[Callable[..., None]]:
    """Edits the adapter's spec; at the end it is as it was, and that has been released."""
    file = platform.root / "acme.yaml"
    text = file.read_text()

    def edit(version: str, **spec: Any) -> None:
        items = list(yaml.safe_load_all(text))
        adapter = next(item for item in items if item["metadata"]["name"] == "support")
        adapter["spec"] |= {"source": f"./adapters/acme-support-{version}", **spec}
        _replace(file, yaml.safe_dump_all(items))

    def _replace(path: Any, content: str) -> None:
        staged = path.with_name("acme.yaml~")
        staged.write_text(content)
        staged.rename(path)

    try:
        yield edit
    finally:
        before = _status(platform)["active"]["generation"]
        edit("v2")
        platform.wait_until(lambda: _active(platform, "acme-support-v2"), what="the second version", limit_s=30)
        _replace(file, text)
        platform.wait_until(lambda: _active(platform, "acme-support-v1"), what="the first version", limit_s=30)
        assert _status(platform)["active"]["generation"] >= before


def _active(platform: Platform, source: str) -> bool:
    status = _status(platform)
    return str(status["active"]["source"]).endswith(source) and status["acknowledged"] == status["active"]["generation"]


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([QUIVER, *words], capture_output=True, text=True, check=False, timeout=60)


async def test_no_request_that_begins_after_a_rollback_has_the_bad_version_and_none_is_lost(platform: Platform) -> None:
    with _support(platform) as edit:
        async with load(platform, model="support", callers=3) as found:
            edit("v2")
            await found.reach(10, SECOND)
            done = await asyncio.to_thread(_run, "rollback", str(platform.root), "acme/support")
            assert done.returncode == 0, done.stderr
            assert "RolledBack" in done.stdout
            through = time.monotonic()
            await found.reach(sum(FIRST in answer.text for answer in found.answers) + 20, FIRST)
            assert max(a.began for a in found.answers if SECOND in a.text) <= through
            shown = (await asyncio.to_thread(_run, "history", str(platform.root), "acme/support")).stdout
            assert re.search(r"RolledBack +\w{12} +active", shown), shown
            promoted = await asyncio.to_thread(_run, "promote", str(platform.root), "acme/support")
            assert promoted.returncode == 0
            await found.reach(sum(SECOND in answer.text for answer in found.answers) + 5, SECOND)
        assert found.failures == []


async def test_a_canary_that_answers_otherwise_goes_back_by_itself_with_the_evidence(platform: Platform) -> None:
    """Its answers are of another length, and the checks allow for no difference."""
    with _support(platform) as edit:
        strict = {"canary": {**CANARY["canary"], "checks": {"minRequests": 15, "maxLengthRatio": 1.01}}}
        async with load(platform, model="support", callers=4) as found:
            await found.reach(5, FIRST)
            edit("v2", rollout=strict)
            await found.reach(3, SECOND, limit_s=60)
            await _told(platform, "CanaryFailed")
            await found.reach(sum(FIRST in answer.text for answer in found.answers) + 20, FIRST)
        assert found.failures == []
        status = _status(platform)
        assert status["active"]["source"].endswith("acme-support-v1")
        assert "tokens an answer" in status["history"][0]["message"]


def _answer(acme: openai.OpenAI, model: str) -> str:
    messages: Any = [{"role": "user", "content": QUESTION}]
    answer = acme.chat.completions.create(model=model, messages=messages, max_tokens=16, temperature=0)
    assert answer.model == model
    return answer.choices[0].message.content or ""


def test_two_versions_answer_side_by_side_by_name(platform: Platform, acme: openai.OpenAI) -> None:
    with _support(platform) as edit:
        first = _status(platform)["active"]["digest"][:12]
        edit("v2")
        platform.wait_until(lambda: _active(platform, "acme-support-v2"), what="the second version", limit_s=30)
        second = _status(platform)["active"]["digest"][:12]
        platform.wait_until(lambda: SECOND in _answer(acme, "support"), what="its answer", limit_s=30)
        assert FIRST in _answer(acme, f"support@{first}")
        assert SECOND in _answer(acme, f"support@{second}")
        versions: Any = acme.models.retrieve("support").to_dict()["versions"]
        assert versions == [
            {"id": f"support@{second}", "role": "active"},
            {"id": f"support@{first}", "role": "earlier"},
        ]
        with pytest.raises(openai.NotFoundError):
            _answer(acme, "support@000000000000")


async def test_a_canary_that_is_as_good_takes_over(platform: Platform) -> None:
    with _support(platform) as edit:
        async with load(platform, model="support", callers=4) as found:
            await found.reach(5, FIRST)
            edit("v2", rollout={"canary": {**CANARY["canary"], "steps": [{"weight": 30, "seconds": 12}]}})
            await asyncio.to_thread(platform.wait_until, lambda: _compared(platform), what="its figures", limit_s=60)
            await _told(platform, "Released")
            await found.reach(sum(SECOND in answer.text for answer in found.answers) + 20, SECOND)
        assert found.failures == []
        assert [entry["event"] for entry in _status(platform)["history"][:2]] == ["Released", "CanaryStarted"]


def _compared(platform: Platform) -> bool:
    """True once the status shows answers of both versions."""
    trial = _status(platform).get("trial")
    return bool(trial and trial["canary"]["requests"] and trial["active"]["requests"])


def test_what_cannot_be_decided_is_said(platform: Platform) -> None:
    unknown = _run("rollback", str(platform.root), "acme/nobody")
    assert (unknown.returncode, "runs no Adapter acme/nobody; it runs acme/api" in unknown.stderr) == (1, True)
    nothing = _run("promote", str(platform.root), "acme/api")
    assert (nothing.returncode, "no version waits to be released" in nothing.stderr) == (1, True)
    assert _run("rollback", str(platform.root), "api").returncode == 2


async def _told(platform: Platform, event: str) -> None:
    await asyncio.to_thread(
        platform.wait_until, lambda: _status(platform)["history"][0]["event"] == event, what=event, limit_s=60
    )
