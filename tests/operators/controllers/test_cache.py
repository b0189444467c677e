"""What the cache recalls is what would be found anew."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from contract.adapter import ActiveVersion, Adapter, AdapterStatus
from contract.objects import AnyObject
from contract.resource import Key
from operators.controllers.cache import ClusterCache
from operators.controllers.stored_object import StoredObject
from tests.operators import objects

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ("a", "b", "c")


def _running(item: AnyObject) -> AnyObject:
    assert isinstance(item, Adapter)
    active = ActiveVersion(digest="a" * 64, engine_name="acme.a.1", base_model="base", source="/x", generation=1)
    return item.model_copy(update={"status": AdapterStatus(active=active)})


ADAPTERS = [objects.adapter(name, knowledgeBases=bases) for name in NAMES for bases in ([], ["handbook"])]
CHANGES = [
    *ADAPTERS,
    *map(_running, ADAPTERS),
    objects.base_model(),
    objects.base_model(tenants=["globex"]),
    objects.base_model("a"),
    objects.knowledge_base(),
    *(objects.tenant(maxAdapters=most) for most in (1, 2, 3)),
    objects.tenant("aaa", namespace="acme"),
]
KEYS = sorted({item.key for item in CHANGES}, key=str)
# Mostly adapters: each other change lets everything be judged anew.
often = st.sampled_from([objects.adapter(name) for name in NAMES])
steps = st.lists(st.one_of(often, often, st.sampled_from(CHANGES), st.sampled_from(KEYS)), max_size=20)


def _take(cache: ClusterCache, change: AnyObject | Key) -> None:
    """Stores an object, or removes the one of a key."""
    key = change if isinstance(change, Key) else change.key
    before = cache.objects.get(key)
    after = None if isinstance(change, Key) else StoredObject(change, version="1", uid="u")
    if before or after:
        cache.set_object(before, after)


@settings(max_examples=1_000)
@given(steps)
def test_a_cached_verdict_is_the_verdict(changes: list[AnyObject | Key]) -> None:
    cache = ClusterCache()
    for change in (objects.tenant(maxAdapters=2), objects.base_model(), *changes):
        _take(cache, change)
        rules = cache.rules(NOW)
        adapters = cache.adapters("acme")
        assert [cache.cached_verdict(each, rules) for each in adapters] == [rules.verdict(each) for each in adapters]
