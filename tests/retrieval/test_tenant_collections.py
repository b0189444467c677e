"""Which collections hold a tenant's rows."""

from retrieval.store.names import Tenancy, collection_of, shared_collection
from retrieval.store.tenant_collections import TenantCollections

NAMES = [collection_of("acme", 384), collection_of("acme", 768), collection_of("globex", 768), "books",
         shared_collection(384), shared_collection(768)]  # fmt: skip
ALL = ["shared_tenants", "shared_tenants_D768"]


def test_those_of_another_size_or_tenancy_are_left() -> None:
    dedicated = TenantCollections(768, Tenancy.DEDICATED, lambda: NAMES)
    assert dedicated.current("acme") == "tenant_acme_D768"
    assert sorted(dedicated.left("acme")) == [*ALL, "tenant_acme"]
    assert sorted(dedicated.comparable("acme")) == ["shared_tenants_D768", "tenant_acme_D768"]
    shared = TenantCollections(384, Tenancy.SHARED, lambda: NAMES)
    assert shared.current("acme") == "shared_tenants"
    assert sorted(shared.left("acme")) == ["shared_tenants_D768", "tenant_acme", "tenant_acme_D768"]
    assert sorted(shared.left("initech")) == ["shared_tenants_D768"]
    assert sorted(shared.comparable("acme")) == ["shared_tenants", "tenant_acme"]


def test_they_are_listed_once_a_second() -> None:
    now, listed = 0.0, 0
    names: list[str] = []

    def list_names() -> list[str]:
        nonlocal listed
        listed += 1
        return names

    collections = TenantCollections(384, Tenancy.DEDICATED, list_names, clock=lambda: now)
    assert collections.of("acme") == ["tenant_acme"]
    names[:] = NAMES
    assert collections.left("acme") == []
    assert listed == 1
    collections.forget()
    assert sorted(collections.left("acme")) == [*ALL, "tenant_acme_D768"]
    assert listed == 2
    names.clear()
    now = 1.0
    assert collections.left("acme") == []
    names[:] = NAMES
    now = 2.0
    assert sorted(collections.left("acme")) == [*ALL, "tenant_acme_D768"]
