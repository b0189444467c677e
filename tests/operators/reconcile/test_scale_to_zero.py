"""When a base model that may scale to zero needs engines."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.adapter import Adapter, Decision
from contract.base_model import BaseModel
from contract.conditions import FETCHED, FETCHING, RELEASED, ROUTED, VERIFIED, WAITING, condition
from operators.reconcile.scale_to_zero import Use, needs_engines, waits_for_engine
from tests.operators import objects

IDLE_S = 900


def _base(**autoscaling: Any) -> BaseModel:
    base = objects.base_model(autoscaling={"maxReplicas": 2, **autoscaling})
    assert isinstance(base, BaseModel)
    return base


SERVING = Use(
    runs=True, serves=True, idle_s=math.inf, certain=True, is_waited_for=False, was_needed=True
)  # fmt: skip
AT_ZERO = replace(SERVING, runs=False, serves=False, was_needed=False)


@pytest.mark.parametrize(
    ("use", "needed"),
    [
        (replace(SERVING, idle_s=IDLE_S - 1), True),
        (replace(SERVING, idle_s=IDLE_S), False),
        (replace(SERVING, serves=False), True),  # it starts
        (replace(SERVING, certain=False), True),
        (replace(SERVING, is_waited_for=True), True),
        (AT_ZERO, False),
        (replace(AT_ZERO, certain=False), False),
        (replace(AT_ZERO, idle_s=0), True),
        (replace(AT_ZERO, idle_s=0, certain=False), True),  # one gateway has a request, another one is silent
        (replace(AT_ZERO, was_needed=True, certain=False), True),  # its first pod is not seen yet
        (replace(AT_ZERO, is_waited_for=True), True),
    ],
)
def test_engines_are_needed_by_requests_and_by_what_has_to_be_released(use: Use, needed: bool) -> None:
    assert needs_engines(_base(minReplicas=0), use) == needed


flags = st.booleans()
uses = st.builds(Use, flags, flags, st.floats(0, 1e9), flags, flags, flags)


@given(uses)
def test_a_request_that_any_gateway_has_is_enough(use: Use) -> None:
    assert needs_engines(_base(minReplicas=0), replace(use, idle_s=0))


@given(uses)
def test_a_base_model_that_keeps_a_replica_always_needs_it(use: Use) -> None:
    assert needs_engines(_base(minReplicas=1), use)
    unscaled = objects.base_model()
    assert isinstance(unscaled, BaseModel)
    assert needs_engines(unscaled, use)


def _adapter(*conditions: Any, active: bool = False, **spec: Any) -> Adapter:
    adapter = objects.adapter(**spec)
    assert isinstance(adapter, Adapter)
    version = {
        "digest": "1" * 64, "engineName": "acme.support.1", "baseModel": "base", "source": "/adapters/v1",
        "generation": 1,
    }  # fmt: skip
    dated = [each.model_copy(update={"observed_generation": 1}) for each in conditions]
    status = {"conditions": dated, **({"active": version} if active else {})}
    return adapter.model_copy(update={"status": type(adapter.status).model_validate(status)})


def test_what_is_released_waits_for_no_engine() -> None:
    released = condition(RELEASED, True, ROUTED)
    assert not waits_for_engine(_adapter(released, active=True), None)


def test_what_is_not_released_yet_waits() -> None:
    assert waits_for_engine(_adapter(), None)
    assert waits_for_engine(_adapter(condition(FETCHED, False, FETCHING), condition(RELEASED, False, WAITING)), None)
    assert waits_for_engine(_adapter(condition(RELEASED, True, ROUTED), active=True, source="/adapters/v2"), None)
    assert waits_for_engine(_adapter(active=True, prompt={"system": "Be kind."}), None)


def test_what_failed_waits_until_it_is_edited() -> None:
    failed = _adapter(condition(FETCHED, False, "DigestMismatch"), condition(RELEASED, False, WAITING))
    assert not waits_for_engine(failed, None)
    edited = failed.model_copy(update={"metadata": failed.metadata.model_copy(update={"generation": 2})})
    assert waits_for_engine(edited, None)


def test_a_training_without_a_result_needs_no_engine() -> None:
    assert not waits_for_engine(_adapter(source="finetune://style"), None)


def test_a_decision_waits_until_it_is_carried_out() -> None:
    adapter = _adapter(condition(FETCHED, True, VERIFIED), condition(RELEASED, True, ROUTED), active=True)
    decision = Decision(id="0" * 32, action="Rollback", against=None, digest=None)
    assert waits_for_engine(adapter, decision)
    status = adapter.status.model_copy(update={"handled": decision.id})
    assert not waits_for_engine(adapter.model_copy(update={"status": status}), decision)
