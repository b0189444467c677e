"""What reserves a namespace for a tenant."""

import pytest

from contract.tenant import Tenant
from operators.desired.tenant_namespace import tenant_namespace
from tests.operators import objects


def _hard(**spec: object) -> dict[str, str]:
    tenant = objects.make("Tenant", "acme", {"namespace": "acme", **spec})
    assert isinstance(tenant, Tenant)
    quota = next(item for item in tenant_namespace(tenant, uid="u", with_quota=True) if item["kind"] == "ResourceQuota")
    hard: dict[str, str] = quota["spec"]["hard"]
    return hard


@pytest.mark.parametrize(("adapters", "quantity"), [(16, "32"), (750, "1500"), (1000, "2k"), (500, "1k")])
def test_a_quota_is_written_as_an_api_server_writes_it(adapters: int, quantity: str) -> None:
    assert _hard(maxAdapters=adapters)["count/adapters.quiver.dev"] == quantity


def test_without_a_quota_nothing_is_bounded() -> None:
    tenant = objects.tenant("acme")
    assert isinstance(tenant, Tenant)
    assert "ResourceQuota" not in {item["kind"] for item in tenant_namespace(tenant, uid="u")}


def test_every_kind_of_a_tenants_objects_is_bounded() -> None:
    kinds = {"adapters", "apikeys", "evaluations", "finetunes", "knowledgebases"}
    assert {f"count/{kind}.quiver.dev" for kind in kinds} | {"count/secrets"} == _hard().keys()
    assert _hard(documents={"maxVectorStores": 0})["count/knowledgebases.quiver.dev"] == "1k"  # made by hand
