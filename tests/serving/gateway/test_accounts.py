"""Which requests are observed for drift, and what is said of them."""

import time
from dataclasses import replace

import pytest

from service.series import page
from serving.gateway.accounts import Accounts, RequestRecord
from serving.gateway.catalog import Target
from serving.gateway.comparisons import Comparisons
from serving.gateway.metrics import Metrics
from serving.gateway.observations import Observations

TARGET = Target("acme", "support", "base", "acme.support.1")


def _record(target: Target | None = TARGET) -> RequestRecord:
    """Of a whole answer."""
    now = time.monotonic()
    record = RequestRecord(started=now - 3, tenant="acme", model="support", target=target)
    record.begins_conversation, record.finish_reason = True, "stop"
    record.sent, record.first_byte, record.answered = now - 2.5, now - 1, now - 0.5
    record.tokens.completion = 7
    return record


def _observed(record: RequestRecord, status: int = 200) -> int:
    metrics = Metrics()
    observations = Observations(metrics)
    Accounts(metrics, Comparisons(), observations).close(record, status)
    return len(observations.queued)


def test_a_first_answer_is_observed() -> None:
    assert _observed(_record()) == 1


@pytest.mark.parametrize(
    "target",
    [None, replace(TARGET, is_canary=True), replace(TARGET, version="0123456789ab")],
    ids=["none", "canary", "version"],
)
def test_what_the_name_does_not_answer_is_not(target: Target | None) -> None:
    assert _observed(_record(target)) == 0


def test_later_questions_and_failures_are_not() -> None:
    later, failed = _record(), _record()
    later.begins_conversation, failed.failed = False, True
    assert [_observed(later), _observed(failed), _observed(_record(), 400)] == [0, 0, 0]


def test_without_a_detector_nothing_waits() -> None:
    metrics = Metrics()
    Accounts(metrics, Comparisons(), None).close(_record(), 200)
    assert b"quiver_gateway_dropped_observations_total 0.0" in b"".join(page(metrics.registry))


def test_the_time_of_an_answer_ends_with_the_engine_and_not_with_its_reader() -> None:
    observations = Observations(metrics := Metrics())
    accounts = Accounts(metrics, Comparisons(), observations)
    accounts.close(_record(), 200)
    abstained = _record()
    abstained.sent, abstained.abstained = None, True
    accounts.close(abstained, 200)
    answered, refused = observations.queued
    assert answered.answer_s == pytest.approx(2.0)
    assert (answered.version, answered.model, answered.completion_tokens) == ("acme.support.1", "support", 7)
    assert (refused.version, refused.answer_s) == ("", None)
