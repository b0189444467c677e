"""When base models were last asked for, and requests that wait for an engine."""

import pytest

from service.series import FastRegistry, Gauge
from serving.gateway.base_uses import BaseUses
from serving.gateway.errors import Unavailable
from serving.gateway.held_requests import RETRY_S, HeldRequests


def test_a_base_model_is_idle_from_the_end_of_its_last_request() -> None:
    now = 0.0
    uses = BaseUses(clock=lambda: now)
    assert uses.current.idle_s == {}
    with uses.hold("small"):
        with uses.hold("small"):
            now = 5.0
        assert uses.current.idle_s == {"small": 0.0}
        now = 9.0
    now = 12.0
    assert uses.current.idle_s == {"small": 3.0}


def test_a_request_that_fails_ends_too() -> None:
    uses = BaseUses(clock=lambda: 1.0)
    with pytest.raises(RuntimeError), uses.hold("small"):
        raise RuntimeError
    assert uses.current.idle_s == {"small": 0.0}
    with uses.hold("small"):
        pass
    assert uses.current.idle_s == {"small": 0.0}


def test_requests_wait_up_to_a_number_and_others_are_told_when_to_try_again() -> None:
    registry = FastRegistry()
    gauge = Gauge("held", "Requests that wait.", ["base_model"], registry)
    held = HeldRequests(1, gauge)
    with held.one("small", "acme"):
        assert 'held{base_model="small"} 1.0' in registry_text(registry)
        with pytest.raises(Unavailable) as refused, held.one("large", "globex"):
            pass
        assert refused.value.retry_after_s == RETRY_S
    with held.one("large", "globex"):
        pass
    assert 'held{base_model="small"} 0.0' in registry_text(registry)


def test_one_tenant_leaves_room_for_others() -> None:
    held = HeldRequests(8, Gauge("held", "Requests that wait.", ["base_model"], FastRegistry()))
    with held.one("small", "acme"), held.one("small", "acme"):
        with pytest.raises(Unavailable), held.one("small", "acme"):
            pass
        with held.one("small", "globex"):
            pass
    with held.one("small", "acme"):
        pass


def registry_text(registry: FastRegistry) -> str:
    return "\n".join(line for family in registry.families for line in family.lines())
