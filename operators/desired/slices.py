"""Where versions answer → the slices of a base model to write (pure)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from itertools import count

from contract.adapter_slice import MOST_VERSIONS, AdapterSlice

Replicas = Mapping[str, Set[str]]
"""By version, the names of the replicas on which it answers."""


def next_slices(
    base: str, stored: Mapping[str, AdapterSlice], slice_of: Mapping[str, str], changed: Replicas
) -> list[AdapterSlice]:
    """The slices that differ from the stored ones, by name, once `changed` is in them. A slice without a version is to
    be deleted.

    A version keeps its slice, whose name `slice_of` has by version, so that a change is one write.
    """
    edits: dict[str, dict[str, Set[str]]] = defaultdict(dict)
    new = {version: replicas for version, replicas in changed.items() if version not in slice_of and replicas}
    for version, replicas in changed.items():
        if version in slice_of:
            edits[slice_of[version]][version] = replicas
    for version, name in zip(sorted(new), _with_room(base, stored, edits), strict=False):
        edits[name][version] = new[version]
    slices = (_edited(name, base, stored.get(name), edit) for name, edit in edits.items())
    return [each for each in slices if each != stored.get(each.name)]


def _edited(name: str, base: str, before: AdapterSlice | None, edit: Replicas) -> AdapterSlice:
    versions: dict[str, Set[str]] = dict(before.replicas if before else {}) | dict(edit)
    return AdapterSlice.of(name, base, {version: replicas for version, replicas in versions.items() if replicas})


def _with_room(base: str, stored: Mapping[str, AdapterSlice], edits: Mapping[str, Replicas]) -> Iterator[str]:
    """The names of slices for new versions, one for each, without end."""
    for name in sorted(stored):
        left = {**stored[name].replicas, **edits.get(name, {})}
        yield from _repeated(name, MOST_VERSIONS - sum(bool(replicas) for replicas in left.values()))
    for number in count(1):
        name = f"{base}-{number}"
        if name not in stored:
            yield from _repeated(name, MOST_VERSIONS)


def _repeated(name: str, times: int) -> Iterable[str]:
    return (name for _ in range(times))
