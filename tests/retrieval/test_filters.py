"""Filters mean the same in the store as in Python, whatever a caller writes in them."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contract.filters import MOST_DEPTH, Filter
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.scope import Scope
from retrieval.store import Chunk, Store
from tests.retrieval.chunks import stored

FILTER: TypeAdapter[Filter] = TypeAdapter(Filter)
KEYS = ["year", 'a"]', "file\\id", "한", "x' or 1 == 1"]
VALUES: list[Any] = [1, 2.5, 2, "one", 'q"uote', "back\\", "", True, False]
DOCUMENTS: list[dict[str, Any]] = [
    {},
    *({key: value} for key in KEYS for value in VALUES[:5]),
    {"year": 2, KEYS[1]: "one"},
]


keys = st.sampled_from(KEYS)
comparisons = st.one_of(
    st.fixed_dictionaries({"type": st.sampled_from(["eq", "ne"]), "key": keys, "value": st.sampled_from(VALUES[:7])}),
    st.fixed_dictionaries({"type": st.sampled_from(["gt", "gte", "lt", "lte"]), "key": keys,
                           "value": st.sampled_from([1, 2.5])}),
    st.fixed_dictionaries({"type": st.sampled_from(["in", "nin"]), "key": keys,
                           "value": st.lists(st.sampled_from(VALUES[:7]), min_size=1, max_size=3)}),
)  # fmt: skip
filters = st.recursive(
    comparisons,
    lambda inner: st.fixed_dictionaries(
        {"type": st.sampled_from(["and", "or"]), "filters": st.lists(inner, min_size=1, max_size=3)}
    ),
    max_leaves=4,
)


def matches(chosen: Mapping[str, Any], attributes: Mapping[str, Any]) -> bool:
    """What a filter means."""
    if "filters" in chosen:
        return (all if chosen["type"] == "and" else any)(matches(each, attributes) for each in chosen["filters"])
    if chosen["key"] not in attributes:
        return False
    actual, value = attributes[chosen["key"]], chosen["value"]
    match chosen["type"]:
        case "eq" | "in":
            return any(_same(actual, each) for each in (value if isinstance(value, list) else [value]))
        case "ne" | "nin":
            return not any(_same(actual, each) for each in (value if isinstance(value, list) else [value]))
    if isinstance(actual, str):
        return False
    return bool(
        {"gt": actual > value, "gte": actual >= value, "lt": actual < value, "lte": actual <= value}[chosen["type"]]
    )


def _same(actual: object, value: object) -> bool:
    return isinstance(actual, str) == isinstance(value, str) and actual == value


@pytest.fixture(scope="module")
def filled(store: Store, embedder: SentenceEncoder) -> Scope:
    """A chunk for each of DOCUMENTS, and one of another knowledge base with every attribute."""
    scope = Scope("filters", ("docs",))
    chunks = stored(store, embedder, scope, ["A text."] * len(DOCUMENTS))
    labelled = [_with(chunk, attributes) for chunk, attributes in zip(chunks, DOCUMENTS, strict=True)]
    store.upsert(scope, labelled)
    stored(store, embedder, Scope("filters", ("secret",)), ["A secret."])
    return scope


def _with(chunk: Chunk, attributes: dict[str, Any]) -> Chunk:
    return Chunk(**vars(chunk) | {"attributes": attributes})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=filters)
def test_the_store_understands_a_filter_as_it_is_meant(
    filled: Scope, store: Store, embedder: SentenceEncoder, chosen: Any
) -> None:
    hits = store.dense(filled, embedder.id, embedder.embed(["A text."])[0], 50, FILTER.validate_python(chosen))
    expected = sum(matches(chosen, attributes) for attributes in DOCUMENTS)
    assert len(hits) == expected
    assert all(matches(chosen, hit.attributes) for hit in hits)


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "and", "filters": []},
        {"type": "in", "key": "a", "value": []},
        {"type": "gt", "key": "a", "value": "b"},
        {"type": "eq", "key": "", "value": 1},
        {"type": "eq", "key": "a", "value": None},
        {"type": "eq", "key": "a", "value": float("nan")},
        {"type": "like", "key": "a", "value": "%"},
        {"type": "or", "filters": [{"type": "in", "key": "a", "value": list(range(40))}] * 2},
    ],
)
def test_a_filter_that_means_nothing_or_too_much_is_refused(wrong: object) -> None:
    with pytest.raises(ValidationError):
        FILTER.validate_python(wrong)


def test_deeply_nested_filters_are_refused() -> None:
    nested: dict[str, Any] = {"type": "eq", "key": "a", "value": 1}
    for _ in range(MOST_DEPTH):
        nested = {"type": "and", "filters": [nested]}
    with pytest.raises(ValidationError, match="nested"):
        FILTER.validate_python(nested)
