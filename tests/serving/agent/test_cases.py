"""Adapters as people have them, for the demo's base model."""

from pathlib import Path

import pytest

from serving.agent import base
from serving.agent.errors import RefusedError
from serving.agent.verify import Rules, verify

CASES = Path("../shared/cases/adapters")
RULES = Rules(base.read("quiver-demo", str(Path("models/demo/base").resolve())), max_rank=16)
# The engine applies nothing of an adapter whose names stand for another checkpoint's modules.
REFUSED = {"key-language_model": "UnknownModule"}


@pytest.mark.skipif(not CASES.is_dir(), reason="needs ../shared/cases")
def test_what_the_engine_serves_as_trained_is_accepted() -> None:
    reasons = {case.name: _reason(case) for case in CASES.iterdir() if case.is_dir()}
    assert {name: reason for name, reason in reasons.items() if reason} == REFUSED


def _reason(directory: Path) -> str:
    try:
        verify(directory, RULES)
    except RefusedError as error:
        return error.reason
    return ""
