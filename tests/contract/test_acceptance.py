from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import conditions as c
from contract.acceptance import owners, rules_of
from contract.adapter import ActiveVersion, Adapter, AdapterStatus
from contract.objects import AnyObject, Objects, collect
from contract.tenant import Tenant
from operators.reconcile.tenant import tenant_status
from tests.operators import objects

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _reason(found: Objects, item: AnyObject) -> str:
    return rules_of(found, NOW).verdict(item).reason


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (objects.adapter(), c.VALID),
        (objects.adapter(namespace="nobody"), c.NO_TENANT),
        (objects.adapter(baseModel="other"), c.BASE_MODEL_MISSING),
        (objects.adapter(knowledgeBases=["missing"]), c.KNOWLEDGE_BASE_MISSING),
        (objects.adapter(name="base"), c.NAME_TAKEN),
        (objects.prompt_adapter(), c.VALID),
        (objects.prompt_adapter(baseModel="other"), c.BASE_MODEL_MISSING),
        (objects.prompt_adapter(prompt={"system": "x" * 8_000, "grounding": f"[1] {'y' * 7_990}"}), c.TOO_LONG),
        (objects.knowledge_base(namespace="nobody"), c.NO_TENANT),
        (objects.api_key(), c.VALID),
        (objects.api_key(namespace="nobody"), c.NO_TENANT),
        (objects.api_key(expiresAt=(NOW - timedelta(seconds=1)).isoformat()), c.EXPIRED),
        (objects.api_key(expiresAt=(NOW + timedelta(seconds=1)).isoformat()), c.VALID),
    ],
)
def test_an_object_is_accepted_or_refused_for_its_own_reason(item: AnyObject, reason: str) -> None:
    assert _reason(objects.two_tenants(item), item) == reason


def test_a_name_is_served_by_one_base_model() -> None:
    first, second = objects.base_model(servedNames=["org/llm"]), objects.base_model("other", servedNames=["org/llm"])
    both = collect((first, second))
    assert (_reason(both, first), _reason(both, second)) == (c.VALID, c.NAME_TAKEN)
    own = objects.base_model("aaa", servedNames=["base"])
    assert _reason(collect((first, own)), own) == c.NAME_TAKEN


def test_a_training_cannot_go_on_from_a_prompt() -> None:
    tune = objects.fine_tune(start="desk")
    assert _reason(objects.two_tenants(objects.prompt_adapter(), tune), tune) == c.ADAPTER_MISSING
    assert _reason(objects.two_tenants(objects.adapter("desk"), tune), tune) == c.VALID


@pytest.mark.parametrize(
    ("gpus", "arguments", "reason"),
    [
        ({}, ("--tensor-parallel-size", "4"), c.VALID),
        ({"nvidia.com/gpu": 4}, ("--tensor-parallel-size", "4"), c.VALID),
        ({"nvidia.com/gpu": 8}, ("--tensor_parallel_size=4", "--pipeline-parallel-size", "2"), c.VALID),
        ({"nvidia.com/gpu": 4}, ("--data-parallel-size", "16", "--data-parallel-size-local=4"), c.VALID),
        ({"nvidia.com/gpu": 1}, (), c.VALID),
        ({"amd.com/gpu": 2, "nvidia.com/gpumem": 3000}, (), c.VALID),
        ({"nvidia.com/mig-3g.40gb": 1}, ("--tensor-parallel-size", "2"), c.TOO_FEW_GPUS),
        ({"nvidia.com/gpu": 1}, ("--tensor-parallel-size", "4"), c.TOO_FEW_GPUS),
    ],
)
def test_gpus_are_those_that_the_engine_is_spread_over(gpus: Any, arguments: Any, reason: str) -> None:
    base = objects.base_model(resources={"limits": gpus}, engineArgs=list(arguments))
    assert _reason(collect((base,)), base) == reason


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


def _answering(item: AnyObject) -> AnyObject:
    assert isinstance(item, Adapter)
    active = ActiveVersion(digest="0" * 64, engine_name="x", base_model="base", source="x", generation=1)
    return item.model_copy(update={"status": AdapterStatus(active=active)})


def _settled(found: Objects) -> Objects:
    """With the verdicts on tenants in their status."""
    rules = rules_of(found, NOW)

    def with_status(tenant: Tenant) -> Tenant:
        status = tenant_status(
            tenant, verdict=rules.verdict(tenant), objects=found, drift=None, now=datetime(2026, 1, 1, tzinfo=UTC)
        )
        return tenant.model_copy(update={"status": status})

    return found.model_copy(update={"tenants": tuple(with_status(tenant) for tenant in found.tenants)})


def test_a_new_adapter_takes_no_place_from_one_that_answers() -> None:
    serving, new = _answering(objects.adapter("support")), objects.adapter("aaa-new")
    found = collect((objects.base_model(), objects.tenant(maxAdapters=1), serving, new))
    assert _reason(found, serving) == c.VALID
    assert _reason(found, new) == c.TOO_MANY_ADAPTERS


def test_an_adapter_that_is_refused_for_itself_takes_no_place() -> None:
    good, bad = objects.adapter("support"), objects.adapter("aaa-new", baseModel="missing")
    found = collect((objects.base_model(), objects.tenant(maxAdapters=1), good, bad))
    assert _reason(found, good) == c.VALID
    assert _reason(found, bad) == c.BASE_MODEL_MISSING


def test_an_adapter_that_still_answers_under_a_broken_edit_keeps_its_place() -> None:
    broken, new = _answering(objects.adapter("zeta", baseModel="missing")), objects.adapter("aaa-new")
    found = collect((objects.base_model(), objects.tenant(maxAdapters=1), broken, new))
    assert _reason(found, broken) == c.BASE_MODEL_MISSING
    assert _reason(found, new) == c.TOO_MANY_ADAPTERS


def test_a_tenant_that_has_a_namespace_keeps_it() -> None:
    acme = _settled(collect((objects.tenant("acme"),))).tenants[0]
    new = objects.tenant("aaa", namespace="acme")
    found = collect((acme, new))
    assert _reason(found, acme) == c.VALID
    assert _reason(found, new) == c.NAMESPACE_TAKEN


def test_a_tenant_that_owned_another_namespace_takes_none() -> None:
    aaa, acme = _settled(collect((objects.tenant("aaa"), objects.tenant("acme")))).tenants
    assert isinstance(aaa, Tenant)
    moved = aaa.model_copy(update={"spec": aaa.spec.model_copy(update={"namespace": "acme"})})
    assert owners((moved, acme)) == {"acme": "acme"}


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["x", "y"])), unique_by=lambda claim: claim[0]))
def test_owners_stay_however_many_claims_come(claims: list[tuple[str, str]]) -> None:
    """The gateway, which sees the new status, and the operator, which saw the last one, agree."""
    known = Objects()
    for name, namespace in claims:
        before = owners(known.tenants)
        known = collect((*known.all, objects.tenant(name, namespace=namespace)))
        now = owners(known.tenants)
        assert {**now, **before} == now
        known = _settled(known)
        assert owners(known.tenants) == now


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/objects/documents/acme", c.VALID),
        ("/objects/documents/acme/deep/er", c.VALID),
        ("/objects/documents/acme2", c.SOURCE_NOT_OWN),
        ("/objects/documents/globex", c.SOURCE_NOT_OWN),
        ("/objects/documents", c.SOURCE_NOT_OWN),
        ("/etc", c.SOURCE_NOT_OWN),
    ],
)
def test_a_tenants_documents_lie_in_its_own_directory(path: str, reason: str) -> None:
    item = objects.knowledge_base(sources=[{"path": "/objects/documents/acme"}, {"path": path}])
    verdict = rules_of(objects.two_tenants(item), NOW, documents="/objects/documents").verdict(item)
    assert verdict.reason == reason
    if reason != c.VALID:
        assert f"KnowledgeBase handbook: {path} is not in /objects/documents/acme" in verdict.message


def test_of_two_keys_of_a_namespace_with_one_digest_the_one_that_counts_goes_on() -> None:
    first, second = objects.api_key("z-first"), objects.api_key("a-second")
    verdict = c.condition(c.ACCEPTED, True, c.VALID)
    first = first.model_copy(update={"status": first.status.model_copy(update={"conditions": (verdict,)})})
    rules = rules_of(objects.two_tenants(first, second), NOW)
    assert rules.verdict(first).holds
    assert rules.verdict(second).reason == c.DIGEST_TAKEN


def test_a_copy_of_a_digest_takes_nothing_from_the_key_that_it_belongs_to() -> None:
    for mine, copy in (("a", "b"), ("b", "a")):  # whatever names and statuses say
        key, copied = objects.api_key(mine, "globex"), objects.api_key(copy, "acme")
        assert rules_of(objects.two_tenants(key, copied), NOW).verdict(key).holds
