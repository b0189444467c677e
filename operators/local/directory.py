"""A directory of YAML files as the place where objects live.

A file that cannot be read as objects leaves in force what it last held, and is reported as a problem: a broken
edit never takes down what was running. An empty file is a broken edit too; a file that is gone took its objects along.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from operators.api.adapter import Adapter
from operators.api.objects import AnyObject, InvalidObjectError, Objects, collect, parse_object, to_data
from operators.api.resource import Key
from operators.api.snapshot import Problem
from operators.local.revisions import revision

SUFFIXES = (".yaml", ".yml")
STATE = ".quiver"


class FileError(ValueError):
    """A file is not a list of our objects; the message says where and why."""


@dataclass(frozen=True)
class Contents:
    """Per file the objects in force, and the files whose newest text is not; per adapter its source's revision."""

    files: Mapping[str, tuple[AnyObject, ...]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    revisions: Mapping[Key, str] = field(default_factory=dict)

    @property
    def objects(self) -> Objects:
        return collect(item for items in self.files.values() for item in items)


def read(root: Path, previous: Contents) -> Contents:
    """The directory as it is now, with `previous` for what cannot be read. Raises OSError if `root` is gone."""
    files: dict[str, tuple[AnyObject, ...]] = {}
    problems: list[Problem] = []
    for path in sorted(object_files(root)):
        name = str(path.relative_to(root))
        try:
            files[name] = read_file(path)
        except FileError as error:
            problems.append(Problem(file=name, message=str(error)))
            files[name] = previous.files.get(name, ())
    unique, doubles = _without_doubles(files)
    current = _with_generations(unique, previous)
    adapters = (item for items in current.values() for item in items if isinstance(item, Adapter))
    return Contents(current, (*problems, *doubles), {adapter.key: revision(adapter) for adapter in adapters})


def object_files(root: Path) -> Iterator[Path]:
    """YAML files directly in the directory, as `kubectl apply -f DIR` takes them. What lies below are documents."""
    return (path for path in root.iterdir() if path.suffix in SUFFIXES and path.is_file() and path.name[0] != ".")


def read_file(path: Path) -> tuple[AnyObject, ...]:
    """All objects of one file. Raises FileError."""
    try:
        documents = list(yaml.safe_load_all(path.read_bytes()))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise FileError(f"not readable as YAML: {_one_line(error)}") from error
    found = [document for document in documents if document is not None]
    if not found:
        raise FileError("holds no object; remove the file to remove what it held")
    return tuple(_parse(document, number, path.parent) for number, document in enumerate(found, 1))


def _parse(document: object, number: int, directory: Path) -> AnyObject:
    try:
        return _with_absolute_paths(parse_object(document), directory)
    except InvalidObjectError as error:
        raise FileError(f"{_called(document, number)}: {error}") from error


def _called(document: object, number: int) -> str:
    metadata = document.get("metadata") if isinstance(document, Mapping) else None
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    kind = document.get("kind") if isinstance(document, Mapping) else None
    return f"{kind} {name}" if kind and name else f"document {number}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _with_absolute_paths(item: AnyObject, directory: Path) -> AnyObject:
    """Relative paths are relative to the file that they stand in."""
    data: dict[str, Any] = to_data(item)
    spec = data["spec"]
    if item.kind in ("Adapter", "BaseModel"):
        spec["source"] = _absolute(spec["source"], directory)
    if item.kind == "KnowledgeBase":
        spec["sources"] = [{"path": _absolute(source["path"], directory)} for source in spec["sources"]]
    return parse_object(data)


def _absolute(source: str, directory: Path) -> str:
    """`./x`, `../x` and `file://x` are paths; `org/model` is a name on a hub and stays one."""
    path = source.removeprefix("file://")
    if source != path or path.startswith(("./", "../", "/")):
        return str((directory / path).resolve())
    return source


def _without_doubles(
    files: Mapping[str, tuple[AnyObject, ...]],
) -> tuple[dict[str, tuple[AnyObject, ...]], list[Problem]]:
    """Of two objects with one key the first file's counts."""
    owner: dict[Key, str] = {}
    kept: dict[str, tuple[AnyObject, ...]] = {}
    problems: list[Problem] = []
    for name, items in files.items():
        fresh: list[AnyObject] = []
        for item in items:
            if owner.setdefault(item.key, name) == name and item.key not in {other.key for other in fresh}:
                fresh.append(item)
            else:
                problems.append(Problem(file=name, message=f"{item.key} is in {owner[item.key]} already; remove one"))
        kept[name] = tuple(fresh)
    return kept, problems


def _with_generations(
    files: Mapping[str, tuple[AnyObject, ...]], previous: Contents
) -> dict[str, tuple[AnyObject, ...]]:
    """As an API server does: the generation grows when the spec changes."""
    before = {item.key: item for items in previous.files.values() for item in items}
    return {name: tuple(_generation(item, before.get(item.key)) for item in items) for name, items in files.items()}


def _generation(item: AnyObject, before: AnyObject | None) -> AnyObject:
    if before is None:
        return item
    generation = before.metadata.generation + (item.spec != before.spec)
    return item.model_copy(update={"metadata": item.metadata.model_copy(update={"generation": generation})})
