"""What Prometheus reads: who, how long, how many; with names that nobody outside can make up."""

import re
import subprocess
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import openai
import pytest

from examples.demo.platform import QUIVER, Platform, read_metrics
from serving.drift.registry import SIGNALS
from serving.drift.verdict import State

HELLO: Any = [{"role": "user", "content": "What is the refund window of the Velmora Basic plan?"}]


def _metrics(platform: Platform) -> str:
    return read_metrics(platform, platform.metrics_url)


def _value(platform: Platform, name: str, **labels: str) -> float:
    return _sum(_metrics(platform), name, **labels)


def _sum(text: str, name: str, **labels: str) -> float:
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    lines = [line for line in text.splitlines() if line.startswith((f"{name}{{", f"{name} "))]
    return sum(float(line.rpartition(" ")[2]) for line in lines if all(item in line for item in wanted))


def test_a_request_is_counted_with_its_tokens_and_times(platform: Platform, acme: openai.OpenAI) -> None:
    by_model = (
        "quiver_gateway_requests_total",
        "quiver_gateway_tokens_total",
        "quiver_gateway_time_to_first_token_seconds_count",
    )
    by_tenant = (
        "quiver_gateway_time_per_output_token_seconds_count",
        "quiver_gateway_queue_seconds_count",
        "quiver_gateway_overhead_seconds_count",
        "quiver_gateway_retrieval_seconds_count",
    )

    def counts() -> dict[str, float]:
        """Of one model: series of another test's adapter go with it, at any time."""
        text = _metrics(platform)
        of_model = {name: _sum(text, name, tenant="acme", model="support") for name in by_model}
        return of_model | {name: _sum(text, name, tenant="acme") for name in by_tenant}

    in_progress = partial(_value, platform, "quiver_gateway_in_flight", tenant="acme")
    platform.wait_until(lambda: in_progress() == 0, what="the end of other requests")  # as one that its client left
    before = counts()
    answer = acme.chat.completions.create(
        model="support", messages=HELLO, max_tokens=8, temperature=0, stream=True,
        extra_body={"retrieval": {"knowledge_bases": ["handbook"]}}, stream_options={"include_usage": True},
    )  # fmt: skip
    usage = [chunk.usage for chunk in answer if chunk.usage][-1]
    requests = by_model[0]  # counted last, once the stream has ended
    platform.wait_until(lambda: counts()[requests] > before[requests], what="the count")
    grown = {name: count - before[name] for name, count in counts().items()}
    assert grown.pop("quiver_gateway_tokens_total") == usage.total_tokens
    assert set(grown.values()) == {1}, grown


def test_names_that_callers_make_up_are_no_labels(platform: Platform, acme: openai.OpenAI) -> None:
    for name in ("made-up-model-1", 'x"} 1', "desk"):
        with pytest.raises(openai.NotFoundError):
            acme.chat.completions.create(model=name, messages=HELLO)
    text = _metrics(platform)
    assert "made-up" not in text
    models = set(re.findall(r'model="([^"]*)"', text))
    assert models <= {"quiver-demo", "support", "api", "desk", "brief", "trial", "all-minilm-l6-v2", "other"}


def test_a_refused_search_and_a_found_one_are_told_apart(platform: Platform, acme: openai.OpenAI) -> None:
    def found() -> float:
        return _value(platform, "quiver_gateway_retrievals_total", tenant="acme", outcome="evidence")

    before = found()
    acme.chat.completions.create(
        model="quiver-demo", messages=HELLO, max_tokens=1, extra_body={"retrieval": {"knowledge_bases": ["handbook"]}}
    )
    platform.wait_until(lambda: found() == before + 1, what="the count")  # once the answer has gone out


def _settled(platform: Platform, read: Callable[[], dict[str, float]]) -> dict[str, float]:
    """After the observations of earlier tests, which gateways send every second, have arrived."""
    last, since = read(), time.monotonic()

    def is_settled() -> bool:
        nonlocal last, since
        if (now := read()) != last:
            last, since = now, time.monotonic()
        return time.monotonic() - since > 3

    platform.wait_until(is_settled, what="the observations of earlier tests")
    return last


def test_the_first_answer_of_a_conversation_is_a_sample_of_every_signal(
    platform: Platform, acme: openai.OpenAI
) -> None:
    def samples() -> dict[str, float]:
        text = read_metrics(platform, platform.drift_url)
        labels = {"tenant": "acme", "window": "reference"}
        return {name: _sum(text, "quiver_drift_samples", signal=name, **labels) for name in SIGNALS}

    before = _settled(platform, samples)
    first: Any = [{"role": "user", "content": "How long is the refund window of the Velmora Basic plan, please?"}]
    later = [*first, {"role": "assistant", "content": "30 days."}, {"role": "user", "content": "And of Pro?"}]
    with_documents = {"retrieval": {"knowledge_bases": ["handbook"]}}
    for messages, body in ((later, with_documents), (first, with_documents), (first, {})):
        acme.chat.completions.create(model="support", messages=messages, max_tokens=8, extra_body=body)
    platform.wait_until(lambda: samples()["answer_length"] >= before["answer_length"] + 2, what="two observations")
    grown = {name: count - before[name] for name, count in samples().items()}
    assert grown == {name: 2 if name.startswith("answer") else 1 for name in SIGNALS}


def test_drift_has_one_state_for_every_tenant_and_judges_none_without_a_week_of_evidence(platform: Platform) -> None:
    text = read_metrics(platform, platform.drift_url)
    for tenant in ("acme", "globex"):
        for signal in SIGNALS:
            labels = {"tenant": tenant, "signal": signal}
            states = [state for state in State if _sum(text, "quiver_drift_state", state=state.value, **labels)]
            assert states == [State.INSUFFICIENT_EVIDENCE]


def test_a_terminal_shows_what_callers_meet(platform: Platform, acme: openai.OpenAI) -> None:
    acme.chat.completions.create(model="support", messages=HELLO, max_tokens=4)
    shown = subprocess.check_output([QUIVER, "top", str(platform.root), "--every", "0.5", "--times", "1"], text=True)
    header, *rows = shown.splitlines()
    assert header.startswith("TENANT")
    assert "acme" in [row.split()[0] for row in rows]
