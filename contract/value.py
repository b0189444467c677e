"""The base of every value in an object."""

from functools import cache
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints
from pydantic.alias_generators import to_camel

# RFC 1123 label: valid as a name in Kubernetes, and safe in paths and engine names.
NAME_PATTERN = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
DIGEST_PATTERN = r"^[0-9a-f]{64}$"

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=63)]
Digest = Annotated[str, StringConstraints(pattern=DIGEST_PATTERN, max_length=64)]
ModelName = Annotated[str, StringConstraints(min_length=1, max_length=256)]  # as requests name a model
# Without NUL, because no path and no process argument can contain it.
Uri = Annotated[str, StringConstraints(min_length=1, max_length=2048, pattern=r"^[^\x00]*$")]


class Value(BaseModel):
    """Values are frozen and refuse unknown fields. Names are camelCase on the wire and snake_case in code."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


V = TypeVar("V", bound=Value)
_WITHOUT_PARTS = frozenset({str, int, float, bool, type(None)})


def compacted(value: V) -> V:
    """The same value, and all values in it, in less memory: pydantic keeps a set of the given fields in each. Here all
    values of a class share one, and all fields count as given."""
    pending: list[object] = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, Value):
            object.__setattr__(each, "__pydantic_fields_set__", _field_names(type(each)))
            pending += [inner for inner in each.__dict__.values() if type(inner) not in _WITHOUT_PARTS]
        elif isinstance(each, tuple):
            pending += each
    return value


@cache
def _field_names(kind: type[Value]) -> set[str]:
    return set(kind.model_fields)
