"""Snapshots as a file that is read again and again: of many objects, few change from one to the next.

The file is JSON with each object on a line of its own, so that an object's text can be compared without parsing it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from contract.adapter_slice import AdapterSlice
from contract.objects import Objects
from contract.snapshot import Snapshot
from contract.value import Value

# The fields of objects by their names in JSON, with the kind of each.
_KINDS: Mapping[str, tuple[str, type[Value]]] = {
    field.alias or name: (name, get_args(field.annotation)[0]) for name, field in Objects.model_fields.items()
}
_SLICES = "adapterSlices"
_LIST = re.compile(rb'"(\w+)":\[')


def written(snapshot: Snapshot) -> str:
    """The snapshot as JSON, each object and slice on a line."""
    rest = snapshot.model_copy(update={"objects": Objects(), "adapter_slices": ()})
    head = rest.model_dump_json(by_alias=True, exclude_none=True, include={"generation", "problems"})
    kinds = ",\n".join(_list(alias, getattr(snapshot.objects, name)) for alias, (name, _) in _KINDS.items())
    return f'{head[:-1]},\n"objects":{{\n{kinds}\n}},\n{_list(_SLICES, snapshot.adapter_slices)}\n}}'


def _list(alias: str, items: Iterable[Value]) -> str:
    lines = ",\n".join(item.model_dump_json(by_alias=True, exclude_none=True) for item in items)
    return f'"{alias}":[\n{lines}\n]'


class SnapshotReader:
    """Objects whose text is as in the snapshot before are the same ones, and not parsed again."""

    def __init__(self) -> None:
        self._before: dict[bytes, Value] = {}

    def read(self, content: bytes) -> Snapshot:
        """Of any valid JSON of a snapshot; only of `written` ones is the text compared. Raises ValueError."""
        head, *lines = content.split(b"\n")
        if not lines:
            return Snapshot.model_validate_json(content)
        texts: dict[str, list[bytes]] = {}
        rest = Snapshot.model_validate_json(b"".join(_without_objects(head, lines, texts)))
        if rest.objects.all or rest.adapter_slices:
            return Snapshot.model_validate_json(content)  # others have written it, in another form
        seen: dict[bytes, Value] = {}
        objects: dict[str, Any] = {
            name: self._values(kind, texts.get(alias, ()), seen) for alias, (name, kind) in _KINDS.items()
        }
        slices = self._values(AdapterSlice, texts.get(_SLICES, ()), seen)
        self._before = seen
        return rest.model_copy(update={"objects": Objects.model_construct(**objects), "adapter_slices": slices})

    def _values(self, kind: type[Value], texts: Iterable[bytes], seen: dict[bytes, Value]) -> tuple[Value, ...]:
        return tuple(self._value(kind, text, seen) for text in texts)

    def _value(self, kind: type[Value], text: bytes, seen: dict[bytes, Value]) -> Value:
        value = self._before.get(text)
        if not isinstance(value, kind):
            value = kind.model_validate_json(text)
        seen[text] = value
        return value


def _without_objects(head: bytes, lines: Iterable[bytes], texts: dict[str, list[bytes]]) -> Iterator[bytes]:
    """What is left of the JSON once the lines of objects are in `texts`, by the name of their list."""
    yield head
    current: list[bytes] = []
    for line in lines:
        if line.startswith(b"{"):
            current.append(line.removesuffix(b","))
        else:
            if opened := _LIST.match(line):
                current = texts.setdefault(opened[1].decode(), [])
            yield line
