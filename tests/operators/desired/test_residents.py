"""Which versions keep their places in an engine's memory."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from contract.adapter import ActiveVersion, Adapter, AdapterStatus
from contract.agent import DesiredAdapter
from contract.base_model import Lora
from contract.rendezvous import ranked
from operators.desired.residents import kept_elsewhere, residents
from tests.operators import objects

TENANTS = st.sampled_from(["acme", "globex", "initech"])
NAMES = st.sampled_from(list("abcdef"))
LORA = Lora(slots=2, cpu_slots=6)


def _item(tenant: str, name: str, *, required: bool = True) -> DesiredAdapter:
    return DesiredAdapter(tenant=tenant, adapter=name, source="/x", revision="r", required=required)


def _adapter(name: str, **residency: object) -> Adapter:
    adapter = objects.adapter(name, residency=residency)
    assert isinstance(adapter, Adapter)
    return adapter


def _names(items: list[DesiredAdapter], adapters: dict[tuple[str, str], Adapter], **pins: int) -> set[str]:
    placed = residents(items, adapters, LORA, pins)
    assert placed is not None
    return {f"{tenant}/{name}" for tenant, name, _ in placed}


def test_with_room_for_all_nothing_has_to_leave() -> None:
    items = [_item("acme", name) for name in "abcdef"]
    assert residents(items, {}, LORA, {}) is None


def test_a_tenant_that_has_all_places_gives_them_back_to_a_new_one() -> None:
    items = [_item("acme", name) for name in "abcdefgh"]
    assert _names(items, {}) == {"acme/a", "acme/b", "acme/c", "acme/d"}
    items += [_item("globex", "a"), _item("globex", "b")]
    assert _names(items, {}) == {"acme/a", "acme/b", "globex/a", "globex/b"}


def test_an_adapter_on_demand_has_no_place() -> None:
    items = [_item("acme", name) for name in "abcdefg"]
    adapters = {("acme", "a"): _adapter("a", mode="OnDemand")}
    assert _names(items, adapters) == {"acme/b", "acme/c", "acme/d", "acme/e"}


def test_adapters_for_some_engines_share_the_places_of_all() -> None:
    urls = [f"http://10.0.0.{number}" for number in range(4)]
    items = [_item("acme", name) for name in "abcdefghijkl"]
    adapters = {("acme", name): _adapter(name, replicas=1) for name in "abcdefghijkl"}
    places = []
    for url in urls:
        placed = residents(items, adapters, LORA, {}, kept_elsewhere(url, urls, adapters))
        assert placed is not None
        places += [name for _, name, _ in placed]
    assert len(places) == len(set(places)) >= 10  # each on one engine; 4 of them have 4 places
    assert not any(kept_elsewhere(url, urls, {("acme", "a"): _adapter("a")}) for url in urls)


@given(st.integers(1, 5), st.integers(1, 6))
def test_an_adapter_is_kept_by_as_many_engines_as_it_asks_for(replicas: int, engines: int) -> None:
    urls = [f"http://10.0.0.{number}" for number in range(engines)]
    adapters = {("acme", "a"): _adapter("a", replicas=replicas)}
    keeping = [url for url in urls if not kept_elsewhere(url, urls, adapters)]
    assert keeping == [url for url in urls if url in ranked(urls, "acme.a")[:replicas]]
    assert len(keeping) == min(replicas, engines)


def test_a_tenant_pins_as_many_as_the_platform_allows() -> None:
    items = [_item("acme", name) for name in "abcdefg"]
    adapters = {("acme", name): _adapter(name, pinned=True) for name in "fg"}
    assert _names(items, adapters) == {"acme/a", "acme/b", "acme/c", "acme/d"}
    assert _names(items, adapters, acme=1) == {"acme/f", "acme/a", "acme/b", "acme/c"}


def test_a_pin_is_for_the_active_version_alone() -> None:
    """Else the earlier versions of pinned adapters would take the places of other tenants' active ones."""
    pinned = _adapter("a", pinned=True)
    earlier = tuple(_item("acme", "a", required=False).model_copy(update={"revision": f"r{n}"}) for n in range(5))
    items = [_item("acme", "a"), *earlier, *(_item("globex", name) for name in "abc")]
    assert _names(items, {("acme", "a"): pinned}, acme=1) == {"acme/a", "globex/a", "globex/b", "globex/c"}


def test_a_candidate_of_the_active_content_is_the_same_version() -> None:
    adapter = _adapter("a")
    active = ActiveVersion(
        digest="a" * 64, engine_name="acme.a.0", base_model="base", source=adapter.spec.source, generation=1
    )
    running = adapter.model_copy(update={"status": AdapterStatus(active=active)})
    items = [_item("acme", name) for name in "abcdef"]
    again = _item("acme", "a", required=False).model_copy(update={"revision": "source:1"})
    assert residents([*items, again], {("acme", "a"): running}, LORA, {}) is None


def test_active_versions_come_before_candidates() -> None:
    items = [_item("acme", "a", required=False), *(_item("acme", name) for name in "bcdefg")]
    assert _names(items, {}) == {"acme/b", "acme/c", "acme/d", "acme/e"}


@given(st.sets(st.tuples(TENANTS, NAMES), min_size=7))
def test_no_tenant_has_two_places_more_than_another_with_versions_that_wait(names: set[tuple[str, str]]) -> None:
    items = [_item(tenant, name) for tenant, name in sorted(names)]
    placed = residents(items, {}, LORA, {})
    assert placed is not None
    assert len(placed) == LORA.cpu_slots - LORA.slots
    counts = Counter(tenant for tenant, *_ in placed)
    waiting = {tenant for tenant, *_ in (item.version_name for item in items if item.version_name not in placed)}
    assert all(counts[most] - counts[tenant] <= 1 for tenant in waiting for most in counts)
