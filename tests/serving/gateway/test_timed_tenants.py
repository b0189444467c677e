"""Which tenants have histograms of their own."""

from service.series import page
from serving.gateway.metrics import Metrics
from serving.gateway.timed_tenants import MAX_TIMED, QUIET_S, TimedTenants, Use


def _page(metrics: Metrics) -> str:
    return b"".join(page(metrics.registry)).decode()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def _full(clock: Clock) -> TimedTenants:
    tenants = TimedTenants(clock)
    for number in range(MAX_TIMED):
        assert tenants.use(f"t{number}") == Use(is_timed=True)
    return tenants


def test_a_place_goes_to_another_tenant_once_its_owner_was_quiet_for_long() -> None:
    clock = Clock()
    tenants = _full(clock)
    clock.now = QUIET_S - 1
    assert tenants.use("t0") == Use(is_timed=True)
    assert tenants.use("late") == Use(is_timed=False)
    clock.now = QUIET_S
    assert tenants.use("late") == Use(is_timed=True, dropped="t1")
    assert tenants.use("t0") == Use(is_timed=True)
    assert tenants.use("t1") == Use(is_timed=True, dropped="t2")


def test_the_place_of_a_tenant_that_left_is_free() -> None:
    tenants = _full(Clock())
    tenants.drop("t7")
    tenants.drop("nobody")
    assert tenants.use("late") == Use(is_timed=True)


def test_the_histograms_of_others_are_one_series() -> None:
    clock = Clock()
    metrics = Metrics(clock)
    metrics.register({f"t{number}": frozenset({"m"}) for number in range(MAX_TIMED + 2)}, ())
    for number in range(MAX_TIMED + 2):
        metrics.retrieval.labels(metrics.timed(f"t{number}", "m")[0]).observe(0.1)
    assert 'quiver_gateway_retrieval_seconds_count{tenant="other"} 2.0' in _page(metrics)
    clock.now = QUIET_S
    assert metrics.timed(f"t{MAX_TIMED}", "m") == (f"t{MAX_TIMED}", "m")
    assert 'quiver_gateway_retrieval_seconds_count{tenant="t0"}' not in _page(metrics)
