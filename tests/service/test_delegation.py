"""Tokens that the management API signs for people."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import delegation
from service.delegation import Delegation, Delegations

SECRET = "a" * 48
SOMEBODY = Delegation("acme", frozenset({"inference", "documents"}), "key boss", frozenset({"support"}))


def test_a_token_says_what_was_signed() -> None:
    for somebody in (SOMEBODY, Delegation("acme", frozenset({"admin"}), "key boss")):
        assert Delegations(SECRET).read(Delegations(SECRET).sign(somebody)) == somebody


def test_while_a_secret_is_replaced_tokens_of_both_are_accepted() -> None:
    old, both, new = Delegations(SECRET), Delegations(f"{'b' * 48}, {SECRET}"), Delegations("b" * 48)
    assert both.read(old.sign(SOMEBODY)) == SOMEBODY
    assert new.read(both.sign(SOMEBODY)) == SOMEBODY
    assert old.read(both.sign(SOMEBODY)) is None


def test_a_token_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delegation, "LIFE", timedelta(seconds=-1))
    assert Delegations(SECRET).read(Delegations(SECRET).sign(SOMEBODY)) is None


@pytest.mark.parametrize("fault", [
    {"algorithm": "none", "key": ""},
    {"algorithm": "HS384", "key": SECRET},
    {"claims": {"aud": "somebody else"}},
    {"claims": {"tenant": None}, "without": "tenant"},
    {"claims": {}, "without": "exp"},
])  # fmt: skip
def test_other_tokens_are_refused(fault: dict[str, Any]) -> None:
    claims = {"aud": "quiver-gateway", "exp": datetime.now(UTC) + timedelta(minutes=1), "sub": "x", "tenant": "acme",
              "scopes": ["admin"]}  # fmt: skip
    claims |= fault.get("claims", {})
    claims.pop(str(fault.get("without")), None)
    token = jwt.encode(claims, str(fault.get("key", SECRET)), str(fault.get("algorithm", "HS256")))
    assert Delegations(SECRET).read(token) is None


@given(st.text())
def test_any_text_is_no_token(text: str) -> None:
    assert Delegations(SECRET).read(text) is None
