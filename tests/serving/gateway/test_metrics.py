import re

import pytest

from contract.tenant import Slo
from service.series import page
from serving.gateway.metrics import MAX_TENANTS, Metrics
from serving.gateway.outcome import RequestOutcome


def _series(metrics: Metrics) -> str:
    return b"".join(page(metrics.registry)).decode()


def test_a_name_that_leaves_takes_its_series_along() -> None:
    metrics = Metrics()
    metrics.register({"acme": frozenset({"support", "trial"}), "globex": frozenset({"desk"})}, ())
    for tenant, model in (("acme", "support"), ("acme", "trial"), ("globex", "desk")):
        metrics.count(*metrics.names(tenant, model), 200, RequestOutcome.OK)
        metrics.first_token.labels(*metrics.names(tenant, model)).observe(0.1)
    metrics.register({"acme": frozenset({"support"})}, ())
    assert 'model="support"' in _series(metrics)
    assert "trial" not in _series(metrics)
    assert "globex" not in _series(metrics)


def test_a_base_model_has_its_series_before_the_first_request_and_loses_it_when_it_leaves() -> None:
    metrics = Metrics()
    metrics.register({}, ("one", "two"))
    assert 'quiver_gateway_tokens_in_flight{base_model="one"} 0.0' in _series(metrics)
    metrics.register({}, ("two",))
    assert "one" not in _series(metrics)


def test_failures_have_a_series_before_the_first_one() -> None:
    metrics = Metrics()
    metrics.register({"acme": frozenset({"support"})}, ())
    assert 'quiver_gateway_failed_requests_total{tenant="acme"} 0.0' in _series(metrics)
    for outcome in RequestOutcome:
        metrics.count("acme", "support", 200, outcome)
    assert 'quiver_gateway_failed_requests_total{tenant="acme"} 2.0' in _series(metrics)


def test_a_first_token_is_slow_by_its_tenants_slo() -> None:
    metrics = Metrics()
    slos = {"acme": Slo(first_token_seconds=1, first_token_share=0.9), "globex": Slo()}
    metrics.register({"acme": frozenset({"support"}), "globex": frozenset({"desk"})}, (), slos)
    for seconds in (0.5, 1.5, 2.0):
        metrics.observe_first_token("acme", "support", seconds)
        metrics.observe_first_token("globex", "desk", seconds)
    assert 'quiver_gateway_slow_first_tokens_total{tenant="acme"} 2.0' in _series(metrics)
    assert 'quiver_gateway_slow_first_tokens_total{tenant="globex"} 0.0' in _series(metrics)
    for seconds in (0.5, 3.0):
        metrics.give_up_first_token("acme", "support", seconds)
    assert 'quiver_gateway_slow_first_tokens_total{tenant="acme"} 3.0' in _series(metrics)
    (budget,) = re.findall(r'quiver_gateway_slo_budget{tenant="acme",slo="first_token"} (\S+)', _series(metrics))
    assert float(budget) == pytest.approx(0.1)
    metrics.register({"globex": frozenset({"desk"})}, (), slos)
    assert "acme" not in _series(metrics)


def test_a_name_that_the_catalog_does_not_have_is_other() -> None:
    metrics = Metrics()
    metrics.register({"acme": frozenset({"support"})}, ())
    assert metrics.names("acme", "support") == ("acme", "support")
    assert metrics.names("acme", "desk") == ("acme", "other")
    assert metrics.names("globex", "support") == ("other", "other")


def test_no_more_than_so_many_tenants_have_series_of_their_own() -> None:
    metrics = Metrics()
    metrics.register({f"t{n:05}": frozenset({"m"}) for n in range(MAX_TENANTS + 1)}, ())
    assert metrics.names(f"t{MAX_TENANTS - 1:05}", "m") == (f"t{MAX_TENANTS - 1:05}", "m")
    assert metrics.names(f"t{MAX_TENANTS:05}", "m") == ("other", "other")
