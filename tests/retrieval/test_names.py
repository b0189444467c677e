"""Collections are named one-to-one after tenants."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.store.names import UNNUMBERED, Owner, collection_of, owner_of

TENANTS = st.text(min_size=1).filter(lambda name: len(name.encode("utf-8", "replace")) <= 63 and name.isprintable())

DIMENSIONS = st.one_of(st.just(UNNUMBERED), st.integers(1, 4_096))


@given(TENANTS, DIMENSIONS)
def test_a_collection_name_is_valid_for_milvus_and_leads_back(tenant: str, dimension: int) -> None:
    collection = collection_of(tenant, dimension)
    assert re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]{0,254}", collection)
    assert owner_of(collection) == Owner(tenant, dimension)


@given(TENANTS, DIMENSIONS, TENANTS, DIMENSIONS)
def test_neither_two_tenants_nor_two_sizes_of_vectors_share_a_collection(
    one: str, size: int, other: str, other_size: int
) -> None:
    is_same = collection_of(one, size) == collection_of(other, other_size)
    assert is_same == ((one, size) == (other, other_size))


def test_collections_of_earlier_releases_keep_their_names() -> None:
    assert collection_of("acme-2", 384) == "tenant_acme_2d2"
    assert collection_of("acme-2", 768) == "tenant_acme_2d2_D768"


def test_the_collection_of_somebody_else_has_no_owner() -> None:
    assert owner_of("books") is None


@pytest.mark.parametrize("name", ["tenant_Acme", "tenant_a_b", "tenant__61", "tenant_", "tenant_é", "tenant__ff",
             "tenant_a__384", "tenant_a__0768", "tenant__D768", "tenant_a__12345"])  # fmt: skip
def test_a_collection_that_is_only_called_alike_has_no_owner(name: str) -> None:
    assert owner_of(name) is None
