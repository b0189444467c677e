"""A scope cannot be empty and its filter cannot be left."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import EmptyScopeError, InvalidRequestError
from retrieval.filters import literal
from retrieval.scope import Scope, one_of

HOSTILE = ['a" or true or "', "back\\", 'back\\" or 1 == 1', "%", "kb'", "]", "a, b", "kb ", "\u0435", "e", "{x}", "🦊"]


@pytest.mark.parametrize(("tenant", "knowledge_bases"), [("", ("kb",)), ("t", ()), ("t", ("",)), ("t", ("kb", ""))])
def test_a_scope_without_a_tenant_or_knowledge_base_cannot_be_made(
    tenant: str, knowledge_bases: tuple[str, ...]
) -> None:
    with pytest.raises(EmptyScopeError):
        Scope(tenant, knowledge_bases)


@pytest.mark.parametrize("name", ["a\0b", "a\nb", "\u202eabc", "\ud800", "x" * 64, "한" * 22])
def test_a_name_that_no_object_can_have_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequestError):
        Scope(name, ("kb",))
    with pytest.raises(InvalidRequestError):
        Scope("tenant", (name,))


def test_no_ids_are_not_every_id() -> None:
    with pytest.raises(EmptyScopeError):
        one_of("id", [])


def test_every_filter_begins_with_the_tenant_and_the_knowledge_bases() -> None:
    scope = Scope("acme", ("docs", "faq", "docs"))
    built = [
        scope.filter(),
        scope.cards(),
        scope.chunks(),
        scope.embedded_chunks("e"),
        scope.document("d"),
        scope.version("d", "v"),
        scope.other_versions("d", "v"),
        scope.chunks_by_id(["c"]),
        scope.chunks_by_content("e", ["c"]),
    ]
    assert all(each.startswith('tenant == "acme" and knowledge_base in ["docs", "faq"]') for each in built)
    assert not any(" or " in each for each in built)


@given(st.text())
def test_a_literal_ends_where_it_should(text: str) -> None:
    written = literal(text)
    assert json.loads(written) == text
    inside = written[1:-1].replace("\\\\", "").replace('\\"', "")
    assert '"' not in inside


@pytest.mark.parametrize("name", HOSTILE)
def test_a_scope_admits_itself_alone(name: str) -> None:
    scope = Scope(name, (name,))
    assert scope.admits(name, name)
    assert not any(scope.admits(other, name) or scope.admits(name, other) for other in HOSTILE if other != name)
