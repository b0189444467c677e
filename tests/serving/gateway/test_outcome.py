"""What became of a request."""

import pytest

from serving.gateway.outcome import Facts, RequestOutcome, outcome_of


@pytest.mark.parametrize(
    ("status", "facts", "outcome"),
    [
        (200, {}, RequestOutcome.OK),
        (200, {"abstained": True}, RequestOutcome.ABSTAINED),
        (200, {"failed": True}, RequestOutcome.ENGINE_FAILED),  # a stream that broke off
        (200, {"failed": True, "no_engine": True}, RequestOutcome.UNAVAILABLE),  # the gateway stopped
        (503, {"failed": True}, RequestOutcome.ENGINE_FAILED),
        (503, {"not_ready": True}, RequestOutcome.NOT_READY),
        (499, {"caller_left": True}, RequestOutcome.ABORTED),
        (429, {}, RequestOutcome.LIMITED),
        (404, {}, RequestOutcome.CLIENT_ERROR),
        (503, {}, RequestOutcome.UNAVAILABLE),
        (500, {}, RequestOutcome.UNAVAILABLE),
    ],
)
def test_an_outcome_is_more_than_a_status(status: int, facts: dict[str, bool], outcome: RequestOutcome) -> None:
    assert outcome_of(status, Facts(**facts)) is outcome


def test_callers_mistakes_and_limits_are_no_failures_of_the_platform() -> None:
    assert {each for each in RequestOutcome if each.is_failure} == {
        RequestOutcome.ENGINE_FAILED,
        RequestOutcome.UNAVAILABLE,
    }
