"""A part of a base model's adapter versions, and the replicas on which each answers.

The operator writes slices, and gateways read them. As with Kubernetes' EndpointSlices, the change of one version
rewrites one object of bounded size, however many versions and replicas there are.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import groupby
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from contract.definition import Column, Definition
from contract.names import API_VERSION
from contract.value import Name, Value

MOST_VERSIONS = 100
Numbers = Annotated[str, StringConstraints(max_length=8192, pattern=r"^([0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)?$")]


class SlicedVersion(Value):
    name: Annotated[str, StringConstraints(max_length=256)]
    """Its name in the engines."""
    on: Numbers
    """The replicas on which it has answered a probe, by their numbers in `replicas`, such as 0-2,5."""


class AdapterSliceSpec(Value):
    """Where the versions of this slice answer."""

    base_model: Name
    """The base model of the versions."""
    replicas: Annotated[tuple[str, ...], Field(max_length=4096)] = ()
    """The names of the replicas' pods."""
    versions: Annotated[tuple[SlicedVersion, ...], Field(max_length=MOST_VERSIONS)] = ()
    """Each version that answers on a replica."""


class AdapterSlice(Value):
    definition: ClassVar[Definition] = Definition(
        "adapterslices", "qslice", (Column("Base model", ".spec.baseModel"),), namespaced=False
    )

    name: Name
    spec: AdapterSliceSpec

    @classmethod
    def of(cls, name: str, base_model: str, replicas: Mapping[str, Iterable[str]]) -> "AdapterSlice":
        """From the names of the replicas of each version. Equal facts give equal slices."""
        names = sorted({replica for each in replicas.values() for replica in each})
        numbers = {replica: number for number, replica in enumerate(names)}
        versions = (
            SlicedVersion(name=version, on=_ranges(sorted(numbers[replica] for replica in each)))
            for version, each in sorted(replicas.items())
        )
        spec = AdapterSliceSpec(base_model=base_model, replicas=tuple(names), versions=tuple(versions))
        return cls(name=name, spec=spec)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "AdapterSlice":
        """From an object of an API server. Raises ValueError."""
        return cls(name=data["metadata"]["name"], spec=data["spec"])

    def to_data(self) -> dict[str, Any]:
        spec = self.spec.model_dump(mode="json", by_alias=True)
        return {"apiVersion": API_VERSION, "kind": type(self).__name__, "metadata": {"name": self.name}, "spec": spec}

    @cached_property
    def replicas(self) -> Mapping[str, frozenset[str]]:
        """The names of the replicas of each version. A number without a replica counts for nothing."""
        names = self.spec.replicas
        sets: dict[str, frozenset[str]] = {}  # most versions are on the same replicas
        for version in self.spec.versions:
            if version.on not in sets:
                sets[version.on] = frozenset(names[number] for number in _numbers(version.on, len(names)))
        return {version.name: sets[version.on] for version in self.spec.versions}


def _ranges(numbers: Iterable[int]) -> str:
    """Ascending numbers as 0-2,5."""
    runs = (list(run) for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]))
    ends = ((run[0][1], run[-1][1]) for run in runs)
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ends)


def _numbers(ranges: str, limit: int) -> Iterator[int]:
    for part in filter(None, ranges.split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), min(int(last or first) + 1, limit))
