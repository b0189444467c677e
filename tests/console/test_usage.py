"""What the page of usage says of a tenant's drift."""

from typing import Any

import pytest

from console.language import LANGUAGES, Language
from console.pages.usage import _drift
from contract.conditions import NO_DRIFT, STEADY
from operators.reconcile.drift import REASONS


def _tenant(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"status": {"conditions": [{"type": "Ready", "status": "True"}, *conditions]}}


def test_a_tenant_without_a_verdict_has_none() -> None:
    assert _drift(_tenant()) is None
    assert _drift({"status": {}}) is None


def test_the_condition_is_what_is_shown() -> None:
    condition = {"type": STEADY, "status": "False", "reason": "QuestionsChanged"}
    assert _drift(_tenant(condition)) == condition


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", [NO_DRIFT, "Unknown", "Changed", *REASONS.values()])
def test_every_reason_has_a_text(language: str, reason: str) -> None:
    assert Language(language)(f"usage.{reason}")
