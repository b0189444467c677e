from datetime import UTC, datetime, timedelta

import pytest

from operators.api import conditions as c
from operators.api.acceptance import accept
from operators.api.objects import AnyObject, Objects, collect
from tests.operators import objects

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _reason(found: Objects, item: AnyObject) -> str:
    return accept(found, NOW)[item.key].reason


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (objects.adapter(), c.VALID),
        (objects.adapter(namespace="nobody"), c.NO_TENANT),
        (objects.adapter(baseModel="other"), c.BASE_MODEL_MISSING),
        (objects.adapter(knowledgeBases=["missing"]), c.KNOWLEDGE_BASE_MISSING),
        (objects.adapter(name="base"), c.NAME_TAKEN),
        (objects.knowledge_base(namespace="nobody"), c.NO_TENANT),
        (objects.api_key(), c.VALID),
        (objects.api_key(namespace="nobody"), c.NO_TENANT),
        (objects.api_key(expiresAt=(NOW - timedelta(seconds=1)).isoformat()), c.EXPIRED),
        (objects.api_key(expiresAt=(NOW + timedelta(seconds=1)).isoformat()), c.VALID),
    ],
)
def test_an_object_is_accepted_or_refused_for_its_own_reason(item: AnyObject, reason: str) -> None:
    assert _reason(objects.two_tenants(item), item) == reason


def test_a_base_model_that_does_not_list_the_tenant_is_not_for_its_adapters() -> None:
    item = objects.adapter()
    found = collect((objects.base_model(tenants=["globex"]), objects.tenant(), item))
    assert _reason(found, item) == c.BASE_MODEL_FORBIDDEN


def test_a_base_model_for_everybody_is_for_a_tenant_that_it_does_not_name() -> None:
    item = objects.adapter()
    assert _reason(collect((objects.base_model(tenants=["*"]), objects.tenant(), item)), item) == c.VALID


def test_of_two_tenants_that_claim_a_namespace_the_first_by_name_has_it() -> None:
    first, second = objects.tenant("acme"), objects.tenant("zeta", namespace="acme")
    found = collect((second, first))
    assert _reason(found, first) == c.VALID
    assert _reason(found, second) == c.NAMESPACE_TAKEN


def test_adapters_over_the_cap_are_refused_and_those_under_it_are_not() -> None:
    items = [objects.adapter(name=f"a{number}") for number in range(3)]
    found = collect((objects.base_model(), objects.tenant(maxAdapters=2), *items))
    assert [_reason(found, item) for item in items] == [c.VALID, c.VALID, c.TOO_MANY_ADAPTERS]


def test_a_refusal_leaves_every_other_object_accepted() -> None:
    good, bad = objects.adapter(), objects.adapter(name="bad", baseModel="other")
    assert _reason(objects.two_tenants(good, bad), good) == c.VALID
