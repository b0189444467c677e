"""Which slices one change rewrites."""

from hypothesis import given
from hypothesis import strategies as st

from contract.adapter_slice import MOST_VERSIONS, AdapterSlice
from operators.desired.slices import Replicas, next_slices

VERSIONS = st.sampled_from([f"v{number:03}" for number in range(250)])
CHANGE = st.dictionaries(VERSIONS, st.sets(st.sampled_from(("p", "q", "r"))), max_size=250)


class Slices:
    """Written as an operator writes them."""

    def __init__(self) -> None:
        self.stored: dict[str, AdapterSlice] = {}

    def change(self, changed: Replicas) -> list[str]:
        """The names of the slices that are written."""
        slice_of = {version: name for name, each in self.stored.items() for version in each.replicas}
        slices = next_slices("base", self.stored, slice_of, changed)
        for each in slices:
            self.stored[each.name] = each
            if not each.spec.versions:
                del self.stored[each.name]
        return [each.name for each in slices]

    @property
    def replicas(self) -> dict[str, frozenset[str]]:
        pairs = [pair for each in self.stored.values() for pair in each.replicas.items()]
        assert len(dict(pairs)) == len(pairs), "a version is in two slices"
        return dict(pairs)


@given(st.lists(CHANGE, max_size=6))
def test_all_slices_together_say_what_is_so(changes: list[Replicas]) -> None:
    slices, truth = Slices(), dict[str, frozenset[str]]()
    for change in changes:
        slices.change(change)
        truth |= {version: frozenset(replicas) for version, replicas in change.items()}
        assert slices.replicas == {version: replicas for version, replicas in truth.items() if replicas}
        assert all(0 < len(each.spec.versions) <= MOST_VERSIONS for each in slices.stored.values())
        assert slices.change(truth) == []


def test_one_version_is_one_write() -> None:
    slices = Slices()
    assert len(slices.change({f"v{number:03}": {"p"} for number in range(250)})) == 3
    assert slices.change({"v007": {"p", "q"}}) == ["base-1"]
    assert slices.change({"v007": set()}) == ["base-1"]
    assert slices.change({"new": {"p"}}) == ["base-1"], "the first place that is free"
    assert slices.change({"unheard": set()}) == []
