"""Collections are named one-to-one after tenants."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.store.names import collection_of, tenant_of

TENANTS = st.text(min_size=1).filter(lambda name: len(name.encode("utf-8", "replace")) <= 63 and name.isprintable())


@given(TENANTS)
def test_a_collection_name_is_valid_for_milvus_and_leads_back(tenant: str) -> None:
    collection = collection_of(tenant)
    assert re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]{0,254}", collection)
    assert tenant_of(collection) == tenant


@given(TENANTS, TENANTS)
def test_two_tenants_never_share_a_collection(one: str, other: str) -> None:
    assert (collection_of(one) == collection_of(other)) == (one == other)


def test_the_collection_of_somebody_else_has_no_tenant() -> None:
    assert tenant_of("books") is None


@pytest.mark.parametrize("name", ["tenant_Acme", "tenant_a_b", "tenant__61", "tenant_", "tenant_é", "tenant__ff"])
def test_a_collection_that_is_only_called_alike_has_no_tenant(name: str) -> None:
    assert tenant_of(name) is None
