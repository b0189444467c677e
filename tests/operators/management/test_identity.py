"""What callers may do."""

import pytest

from contract.api_key import APIKey
from operators.management.errors import ForbiddenError, NotFoundError
from operators.management.gateway import is_change, required
from operators.management.identity import PLATFORM, Identity, of_key
from tests.operators import objects

READER = Identity("key r", "acme", frozenset({"inference"}))
EDITOR = Identity("key e", "acme", frozenset({"inference", "documents"}))
ADMIN = Identity("key a", "acme", frozenset({"admin"}))


def test_roles_come_from_scopes() -> None:
    assert [each.role for each in (READER, EDITOR, ADMIN, PLATFORM)] == ["reader", "editor", "admin", "platform"]


def test_a_keys_limits_are_its_callers() -> None:
    key = objects.api_key("boss", scopes=["documents"], models=["support"])
    assert isinstance(key, APIKey)
    assert of_key("acme", key) == Identity("key boss", "acme", frozenset({"documents"}), frozenset({"support"}))


@pytest.mark.parametrize(("method", "path", "allowed"), [
    ("GET", "/v1/vector_stores/vs_1/files", {"reader", "editor", "admin"}),
    ("GET", "/v1/files/file-1/content", {"editor", "admin"}),
    ("GET", "/v1/deletions/d", {"editor", "admin"}),
    ("POST", "/v1/files", {"editor", "admin"}),
    ("DELETE", "/v1/vector_stores/vs_1/files/file-1", {"editor", "admin"}),
    ("POST", "/v1/vector_stores/vs_1/search", {"reader", "editor", "admin"}),
    ("POST", "/v1/chat/completions", {"reader", "editor", "admin"}),
])  # fmt: skip
def test_who_may_do_what_through_the_gateway(method: str, path: str, allowed: set[str]) -> None:
    passed = set()
    for each in (READER, EDITOR, ADMIN, PLATFORM):
        try:
            required(method, path, each)
        except ForbiddenError:
            continue
        passed.add(each.role)
    assert passed == allowed


def test_a_key_for_documents_alone_may_not_ask() -> None:
    with pytest.raises(ForbiddenError, match="scope inference"):
        required("POST", "/v1/chat/completions", Identity("key d", "acme", frozenset({"documents"})))


def test_searches_and_questions_are_no_changes() -> None:
    changes = {("POST", "/v1/files"), ("DELETE", "/v1/files/file-1"), ("POST", "/v1/vector_stores/vs_1")}
    reads = {("GET", "/v1/files"), ("POST", "/v1/chat/completions"), ("POST", "/v1/vector_stores/vs_1/search")}
    assert {each for each in changes | reads if is_change(*each)} == changes


def test_a_key_for_some_models_makes_keys_for_no_others() -> None:
    limited = Identity("key l", "acme", frozenset({"admin"}), frozenset({"support"}))
    limited.require_models(["support"])
    ADMIN.require_models(["anything"])
    with pytest.raises(ForbiddenError, match="support only"):
        limited.require_models(["support", "other"])


def test_a_foreign_tenant_looks_like_a_missing_one() -> None:
    ADMIN.require_tenant("acme")
    PLATFORM.require_tenant("globex")
    with pytest.raises(NotFoundError, match="no tenant 'globex'"):
        ADMIN.require_tenant("globex")
