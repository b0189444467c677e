import random
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contract.adapter import ActiveVersion, Adapter, AdapterStatus, CanaryVersion, Version
from contract.adapter_slice import AdapterSlice
from contract.api_key import key_digest
from contract.base_model import BaseModel, BaseModelStatus, Endpoint
from contract.conditions import ACCEPTED, SOURCE_NOT_OWN, Condition
from contract.knowledge_base import Document, KnowledgeBase, KnowledgeBaseStatus
from contract.objects import AnyObject, collect
from contract.prompt import Prompt
from contract.snapshot import Snapshot
from serving.gateway.catalog import Catalog, TenantEntries, build_catalog
from tests.operators import objects

REQUEST = "0" * 32
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _serving(adapter: AnyObject, digit: str) -> Adapter:
    assert isinstance(adapter, Adapter)
    tenant = adapter.namespace
    active = ActiveVersion(
        digest=digit * 64,
        engine_name=f"{tenant}.{adapter.name}.{digit * 12}",
        base_model="base",
        source="/x",
        generation=1,
    )
    return adapter.model_copy(update={"status": AdapterStatus(active=active)})


def _catalog(*items: AnyObject) -> Catalog:
    found = (objects.base_model(), objects.tenant("acme"), objects.tenant("globex"), *items)
    return build_catalog(Snapshot(generation=7, objects=collect(found)), NOW)


def _key(tenant: str, **spec: object) -> AnyObject:
    return objects.api_key(name=f"key-{tenant}", namespace=tenant, sha256=key_digest(f"qv-{tenant}-0"), **spec)


def test_one_alias_is_each_tenants_own() -> None:
    catalog = _catalog(
        _key("acme"),
        _key("globex"),
        _serving(objects.adapter("support", "acme"), "a"),
        _serving(objects.adapter("support", "globex"), "b"),
    )
    for tenant, digit in (("acme", "a"), ("globex", "b")):
        principal = catalog.authenticate(f"qv-{tenant}-0", NOW)
        assert principal is not None
        target = catalog.resolve(principal, "support", REQUEST)
        assert target is not None
        assert target.engine_name == f"{tenant}.support.{digit * 12}"


def test_an_alias_of_another_tenant_and_any_engine_name_are_nothing() -> None:
    catalog = _catalog(_key("acme"), _serving(objects.adapter("desk", "globex"), "b"))
    principal = catalog.authenticate("qv-acme-0", NOW)
    assert principal is not None
    for name in ("desk", f"globex.desk.{'b' * 12}", "globex/desk", "", "base "):
        assert catalog.resolve(principal, name, REQUEST) is None


def test_a_key_that_is_unknown_or_has_expired_speaks_for_nobody() -> None:
    catalog = _catalog(_key("acme", expiresAt=(NOW + timedelta(hours=1)).isoformat()))
    assert catalog.authenticate("qv-acme-0", NOW) is not None
    assert catalog.authenticate("qv-acme-0", NOW + timedelta(hours=1)) is None
    for key in ("", "qv-globex-0", key_digest("qv-acme-0")):
        assert catalog.authenticate(key, NOW) is None


def test_a_key_for_some_models_reaches_no_other() -> None:
    catalog = _catalog(_key("acme", models=["support"]), _serving(objects.adapter(), "a"))
    principal = catalog.authenticate("qv-acme-0", NOW)
    assert principal is not None
    assert catalog.resolve(principal, "support", REQUEST) is not None
    assert catalog.resolve(principal, "base", REQUEST) is None


def test_a_base_model_is_for_the_tenants_that_it_lists() -> None:
    found = (objects.base_model(tenants=["globex"]), objects.tenant("acme"), _key("acme"))
    catalog = build_catalog(Snapshot(objects=collect(found)), NOW)
    principal = catalog.authenticate("qv-acme-0", NOW)
    assert principal is not None
    assert catalog.resolve(principal, "base", REQUEST) is None


def test_only_ready_replicas_that_hold_a_version_may_answer_for_it() -> None:
    base = objects.base_model()
    assert isinstance(base, BaseModel)
    endpoints = (
        Endpoint(name="0", url="u0", ready=True),
        Endpoint(name="1", url="u1", ready=True),
        Endpoint(name="2", url="u2", ready=False),
    )
    ready = base.model_copy(update={"status": BaseModelStatus(endpoints=endpoints)})
    slices = (
        AdapterSlice.of("base-1", "base", {"acme.support.a": ("0", "2", "gone")}),
        AdapterSlice.of("other-1", "other", {"acme.support.a": ("1",)}),
    )
    found = build_catalog(Snapshot(objects=collect((ready,)), adapter_slices=slices), NOW).bases["base"]
    assert [replica.url for replica in found.holders("acme.support.a")] == ["u0"]
    assert [replica.url for replica in found.holders("base")] == ["u0", "u1"]
    assert found.holders("acme.support.b") == ()


def test_an_adapter_that_has_not_answered_yet_has_a_name_and_no_engine_name() -> None:
    catalog = _catalog(_key("acme"), objects.adapter())
    assert catalog.tenants["acme"].targets["support"].engine_name is None
    assert catalog.routable == {"base"}


def test_a_canary_has_its_share_of_the_requests_and_a_request_has_its_version_for_life() -> None:
    catalog = _with_canary(weight=20, holds=("acme.support.aaaaaaaaaaaa", "acme.support.bbbbbbbbbbbb"))
    principal = catalog.authenticate("qv-acme-0", NOW)
    assert principal is not None
    ids = [uuid.UUID(int=random.Random(n).getrandbits(128)).hex for n in range(4000)]
    first, second = ([catalog.resolve(principal, "support", one) for one in ids] for _ in range(2))
    assert first == second
    share = sum(target is not None and target.is_canary for target in first) / len(ids)
    assert 0.17 < share < 0.23
    assert catalog.routable == {"base", "acme.support.aaaaaaaaaaaa", "acme.support.bbbbbbbbbbbb"}


def test_a_canary_that_no_replica_holds_gets_no_request() -> None:
    catalog = _with_canary(weight=99, holds=("acme.support.aaaaaaaaaaaa",))
    principal = catalog.authenticate("qv-acme-0", NOW)
    assert principal is not None
    target = catalog.resolve(principal, "support", REQUEST)
    assert target is not None
    assert target.engine_name == "acme.support.aaaaaaaaaaaa"


def test_a_request_may_name_a_version_that_is_in_the_engines() -> None:
    catalog = _with_canary(weight=99, holds=("acme.support.aaaaaaaaaaaa", "acme.support.bbbbbbbbbbbb"))
    principal = catalog.authenticate("qv-acme-0", NOW)
    assert principal is not None
    for digit, role in (("a", "active"), ("b", "trial")):
        target = catalog.resolve(principal, f"support@{digit * 12}", REQUEST)
        assert target is not None
        assert (target.engine_name, target.label) == (f"acme.support.{digit * 12}", f"support@{digit * 12}")
        assert not target.is_canary
        assert role in [version.role for version in target.versions if version.id == digit * 12]
    for name in ("support@", "support@aaaa", "support@cccccccccccc", "base@aaaaaaaaaaaa", "@aaaaaaaaaaaa"):
        assert catalog.resolve(principal, name, REQUEST) is None


def test_a_key_for_a_model_is_one_for_its_versions_and_for_no_others() -> None:
    catalog = _catalog(
        _key("acme", models=["support"]),
        _serving(objects.adapter("support"), "a"),
        _serving(objects.adapter("desk"), "b"),
    )
    principal = catalog.authenticate("qv-acme-0", NOW)
    assert principal is not None
    assert catalog.resolve(principal, f"support@{'a' * 12}", REQUEST) is not None
    assert catalog.resolve(principal, f"desk@{'b' * 12}", REQUEST) is None


def test_a_base_model_is_asked_for_by_its_further_names_and_a_tenants_adapter_comes_first() -> None:
    base = objects.base_model(servedNames=["org/LLM-8B.v1", "support"])
    others = (objects.tenant("globex"), _key("globex", models=["base"]), _key("acme", models=["support"]))
    found = (base, objects.tenant("acme"), *others, _serving(objects.adapter(), "a"))
    catalog = build_catalog(Snapshot(generation=7, objects=collect(found)), NOW)
    acme, globex = (catalog.authenticate(f"qv-{tenant}-0", NOW) for tenant in ("acme", "globex"))
    assert acme is not None
    assert globex is not None
    named = catalog.resolve(globex, "org/LLM-8B.v1", REQUEST)
    assert named is not None
    assert (named.engine_name, named.name, named.label) == ("base", "base", "org/LLM-8B.v1")
    assert catalog.resolve(acme, "org/LLM-8B.v1", REQUEST) is None  # its key is for its adapter
    mine, theirs = catalog.resolve(acme, "support", REQUEST), catalog.resolve(globex, "support", REQUEST)
    assert mine is not None
    assert theirs is not None
    assert (mine.engine_name, theirs.engine_name) == (f"acme.support.{'a' * 12}", "base")


def test_versions_of_one_content_differ_in_their_prompts() -> None:
    kind, rude = Prompt(system="Be kind."), Prompt(system="Be rude.")
    catalog = _with_canary(weight=99, holds=("acme.support.aaaaaaaaaaaa",), digit="a", prompt=kind, canary_prompt=rude)
    principal = catalog.authenticate("qv-acme-0", NOW)
    assert principal is not None
    active, canary = (catalog.resolve(principal, "support", request) for request in (f"{99:08x}", REQUEST))
    assert active is not None
    assert canary is not None
    assert (active.prompt, active.is_canary, canary.prompt, canary.is_canary) == (kind, False, rude, True)
    assert active.engine_name == canary.engine_name
    for version in active.versions:
        named = catalog.resolve(principal, f"support@{version.id}", REQUEST)
        assert named is not None
        assert named.prompt == (kind if version.role == "active" else rude)


def test_a_version_kept_for_a_rollback_may_be_named_and_counts_as_no_route() -> None:
    adapter = _serving(objects.adapter(), "a")
    kept = Version(digest="b" * 64, engine_name=f"acme.support.{'b' * 12}", base_model="base", source="/y")
    status = adapter.status.model_copy(update={"previous": (kept,)})
    catalog = _catalog(_key("acme"), adapter.model_copy(update={"status": status}))
    principal = catalog.authenticate("qv-acme-0", NOW)
    assert principal is not None
    target = catalog.resolve(principal, f"support@{'b' * 12}", REQUEST)
    assert target is not None
    assert target.engine_name == kept.engine_name
    assert kept.engine_name not in catalog.routable


def _with_canary(
    *,
    weight: int,
    holds: tuple[str, ...],
    digit: str = "b",
    prompt: Prompt | None = None,
    canary_prompt: Prompt | None = None,
) -> Catalog:
    adapter = _serving(objects.adapter("support", "acme"), "a")
    assert adapter.status.active is not None
    canary = CanaryVersion(
        digest="b" * 64, content=digit * 64, engine_name=f"acme.support.{digit * 12}", base_model="base", source="/y",
        step=0, weight=weight, since="2026-01-01T00:00:00Z", prompt=canary_prompt,
    )  # fmt: skip
    active = adapter.status.active.model_copy(update={"prompt": prompt})
    status = adapter.status.model_copy(update={"active": active, "canary": canary})
    base = objects.base_model()
    assert isinstance(base, BaseModel)
    endpoints = (Endpoint(name="one", url="http://one", ready=True),)
    base = base.model_copy(update={"status": BaseModelStatus(endpoints=endpoints)})
    found = (base, objects.tenant("acme"), _key("acme"), adapter.model_copy(update={"status": status}))
    slices = (AdapterSlice.of("base-1", "base", dict.fromkeys(holds, ("one",))),)
    return build_catalog(Snapshot(generation=7, objects=collect(found), adapter_slices=slices), NOW)


def test_an_adapter_that_is_refused_and_never_answered_hides_nothing() -> None:
    catalog = _catalog(_key("acme"), objects.adapter("base", "acme"))
    principal = catalog.authenticate("qv-acme-0", NOW)
    assert principal is not None
    target = catalog.resolve(principal, "base", REQUEST)
    assert target is not None
    assert target.engine_name == "base"


def test_a_copied_digest_speaks_for_nobody_whatever_happens_to_the_key_that_it_belongs_to() -> None:
    """The key says whose it is: neither names nor statuses of objects do."""
    copied = objects.api_key("aaa", "globex", sha256=key_digest("qv-acme-0"))
    for keys in ((_key("acme"), copied), (copied,)):
        catalog = _catalog(*keys)
        principal = catalog.authenticate("qv-acme-0", NOW)
        assert (principal and principal.tenant) == ("acme" if len(keys) == 2 else None)
        assert catalog.authenticate("qv-globex-0", NOW) is None


def test_a_version_whose_base_model_was_removed_is_refused_and_not_a_crash() -> None:
    found = (objects.tenant("acme"), _key("acme"), _serving(objects.adapter("support", "acme"), "a"))
    catalog = build_catalog(Snapshot(generation=7, objects=collect(found)), NOW)
    assert catalog.tenants["acme"].targets["support"].refused


def test_a_knowledge_base_that_is_refused_is_searched_only_for_what_was_indexed_before() -> None:
    base = objects.knowledge_base(name="docs", namespace="acme")
    assert isinstance(base, KnowledgeBase)
    verdict = Condition(
        type=ACCEPTED, status="False", reason=SOURCE_NOT_OWN, last_transition_time="2026-01-01T00:00:00Z"
    )
    for documents, refused in (((), {"docs"}), ((Document(path="a", state="Ready"),), set())):
        status = KnowledgeBaseStatus(documents=documents, conditions=(verdict,))
        items = collect([objects.base_model(), objects.tenant("acme"), base.model_copy(update={"status": status})])
        tenant = build_catalog(Snapshot(objects=items), NOW).tenants["acme"]
        assert tenant.refused_knowledge_bases == refused
        assert set(tenant.knowledge_bases) == {"docs"} - refused


# Entries of the catalog before ---------------------------------------------------------------------------------------

CHOICES: Mapping[str, Sequence[AnyObject]] = {
    "base": [objects.base_model(tenants=tenants) for tenants in (["acme", "globex"], ["globex"])],
    "other base": [objects.base_model("other", servedNames=names) for names in (["support"], [])],
    "acme": [objects.tenant("acme", maxAdapters=most) for most in (1, 16)],
    "globex": [objects.tenant("globex", namespace=namespace) for namespace in ("globex", "acme")],
    "support": [objects.adapter("support", knowledgeBases=bases) for bases in ([], ["handbook"])],
    "sales": [objects.adapter("sales", baseModel=base) for base in ("base", "other")],
    "desk": [objects.adapter("desk", namespace="globex")],
    "handbook": [objects.knowledge_base("handbook")],
    "key": [objects.api_key()],
}
edits = st.lists(st.tuples(st.sampled_from(sorted(CHOICES)), st.integers(0, 2)), max_size=12)


@given(edits)
def test_a_catalog_made_with_the_entries_before_is_the_catalog_made_anew(steps: list[tuple[str, int]]) -> None:
    there, entries = {name: choices[0] for name, choices in CHOICES.items()}, TenantEntries()
    for name, choice in steps:
        if choice < len(CHOICES[name]):
            there[name] = CHOICES[name][choice].model_copy()
        else:
            there.pop(name, None)
        snapshot = Snapshot(objects=collect(there.values()))
        assert build_catalog(snapshot, NOW, entries) == build_catalog(snapshot, NOW)


def test_of_many_tenants_only_the_one_that_changed_is_made_anew() -> None:
    items = [objects.base_model(), objects.tenant("acme"), objects.tenant("globex"), objects.adapter("support")]
    entries = TenantEntries()
    before = build_catalog(Snapshot(objects=collect(items)), NOW, entries)
    after = build_catalog(Snapshot(objects=collect([*items, objects.adapter("sales")])), NOW, entries)
    assert after.tenants["globex"] is before.tenants["globex"]
    assert set(after.tenants["acme"].targets) - set(before.tenants["acme"].targets) == {"sales"}
