"""Tables of traffic from two pages of metrics."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.cli.top import shown_as_table
from operators.local.traffic import Page, Traffic, page, quantile, traffic
from service.series import page as written
from serving.gateway.metrics import Metrics
from serving.gateway.outcome import RequestOutcome

DRIFT = (
    'quiver_drift_cause{tenant="acme",cause="documents"} 1.0\nquiver_drift_cause{tenant="acme",cause="engine"} 0.0\n'
)


def _page(metrics: Metrics, at: float, more: str = "") -> Page:
    return page([b"".join(written(metrics.registry)).decode(), more], at)


def _metrics() -> Metrics:
    metrics = Metrics()
    metrics.register({"acme": frozenset({"support"}), "globex": frozenset({"desk"}), "quiet": frozenset()}, ())
    return metrics


def _asked(metrics: Metrics, tenant: str, model: str, count: int, outcome: RequestOutcome = RequestOutcome.OK) -> None:
    for _ in range(count):
        metrics.count(tenant, model, 200, outcome)
        metrics.tokens.labels(tenant, model, "completion").inc(10)
        metrics.observe_first_token(tenant, model, 0.2)


def test_rates_are_of_the_time_between_and_the_busiest_is_first() -> None:
    metrics = _metrics()
    _asked(metrics, "acme", "support", 7)
    before = _page(metrics, 100.0)
    _asked(metrics, "acme", "support", 3)
    _asked(metrics, "acme", "support", 1, RequestOutcome.ENGINE_FAILED)
    _asked(metrics, "globex", "desk", 10)
    metrics.in_flight.labels("acme").inc(2)
    globex, acme = traffic(before, _page(metrics, 102.0, DRIFT))
    assert (globex.tenant, globex.requests, globex.tokens, globex.failed, globex.drift) == (
        "globex",
        5.0,
        50.0,
        0.0,
        "",
    )
    assert (acme.tenant, acme.in_flight, acme.requests, acme.failed, acme.drift) == ("acme", 2, 2.0, 0.25, "documents")
    assert acme.first_token is not None
    assert 0.1 < acme.first_token <= 0.25


def test_a_gateway_that_has_restarted_counts_anew() -> None:
    before = _metrics()
    _asked(before, "acme", "support", 9)
    after = _metrics()
    _asked(after, "acme", "support", 4)
    (acme,) = traffic(_page(before, 0.0), _page(after, 2.0))
    assert acme.requests == 2.0


def test_without_requests_there_is_no_table() -> None:
    metrics = _metrics()
    assert traffic(_page(metrics, 0.0), _page(metrics, 1.0)) == []
    assert shown_as_table([]) == "no tenant has made a request yet"


def test_a_table_has_a_line_for_each_tenant() -> None:
    rows = [Traffic("acme", 2, 1.25, 40.0, 0.015, 0.123, "questions"), Traffic("globex", 0, 0.0, 0.0, None, None, "")]
    header, acme, globex = shown_as_table(rows).splitlines()
    assert header.split("  ")[0] == "TENANT"
    assert acme.split() == ["acme", "2", "1.2", "1.5%", "0.12", "s", "40", "questions"]
    assert globex.split() == ["globex", "0", "0.0", "-", "-", "0", "-"]


def test_a_text_in_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^$"):
        page(["{"], 0.0)


@given(st.lists(st.floats(0, 20, allow_nan=False), min_size=1, max_size=50), st.sampled_from([0.5, 0.95]))
def test_a_quantile_is_within_the_bucket_of_the_true_one(values: list[float], share: float) -> None:
    bounds = (0.5, 1.0, 5.0, 30.0, float("inf"))
    counts = [(bound, float(sum(value <= bound for value in values))) for bound in bounds]
    true = sorted(values)[max(0, -(-len(values) * round(share * 100) // 100) - 1)]
    upper = next(bound for bound in bounds if true <= bound)
    lower = max((bound for bound in bounds if bound < true), default=0.0)
    found = quantile(share, counts)
    assert found is not None
    assert lower <= found <= upper


def test_no_counts_have_no_quantile() -> None:
    assert quantile(0.95, []) is None
    assert quantile(0.95, [(1.0, 0.0), (float("inf"), 0.0)]) is None
