"""The bytes of one YAML file → its objects (pure except for joining paths)."""

import os.path
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from contract.objects import AnyObject, InvalidObjectError, facts, parse_object
from contract.secret import Secret


class FileError(ValueError):
    """A file is not a list of our objects; the message says where and why."""


MAX_DEPTH = 64
# libyaml reads a megabyte in a second; yaml's parser in Python takes half a minute.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(content: bytes, directory: Path) -> tuple[AnyObject | Secret, ...]:
    """All objects of one file, and the Secrets beside them; relative paths are relative to `directory`.

    Raises FileError, and nothing else.
    """
    try:
        _check_structure(content)
        documents = [document for document in yaml.load_all(content, _Loader) if document is not None]
    except FileError:
        raise
    except Exception as error:  # the parser of a scalar's tag may raise anything
        raise FileError(f"not readable as YAML{_place(error)}; correct the file") from error
    if not documents:
        raise FileError("holds no object; remove the file to remove what it held")
    return tuple(_parse(document, number, directory) for number, document in enumerate(documents, 1))


def _check_structure(content: bytes) -> None:
    """A few aliases can expand beyond any memory, and deep nesting overflows the stack in libyaml's composer. Raises
    FileError and the parser's errors."""
    depth = 0
    for event in yaml.parse(content, _Loader):
        match event:
            case yaml.AliasEvent():
                raise FileError(f"{_line(event)}: aliases (*name) are not allowed; write out what this one stands for")
            case yaml.CollectionStartEvent():
                depth += 1
            case yaml.CollectionEndEvent():
                depth -= 1
        if depth > MAX_DEPTH:
            raise FileError(f"not readable as YAML: {_line(event)} is nested more than {MAX_DEPTH} deep; write it flat")


def _line(event: yaml.Event) -> str:
    return f"line {event.start_mark.line + 1}" if event.start_mark else "a line"


def _place(error: Exception) -> str:
    """The position only: the text may be a Secret's value."""
    mark = getattr(error, "problem_mark", None)
    return f": line {mark.line + 1}, column {mark.column + 1}" if mark else ": a value is not of its type"


def _parse(document: object, number: int, directory: Path) -> AnyObject | Secret:
    try:
        if isinstance(document, Mapping) and document.get("kind") == "Secret":
            return Secret.model_validate(document)
        return parse_object(_applied(document, directory))
    except InvalidObjectError as error:
        raise FileError(f"{_called(document, number)}: {error}") from error
    except ValidationError as error:
        raise FileError(f"{_called(document, number)}: {facts(error)}") from error


def _called(document: object, number: int) -> str:
    metadata = document.get("metadata") if isinstance(document, Mapping) else None
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    kind = document.get("kind") if isinstance(document, Mapping) else None
    return f"{kind} {name}" if isinstance(kind, str) and isinstance(name, str) else f"document {number}"


def _applied(document: object, directory: Path) -> object:
    """The document as it is applied: without status, which the platform writes, and with absolute paths."""
    if not isinstance(document, Mapping):
        return document
    applied = {key: value for key, value in document.items() if key != "status"}
    if isinstance(applied.get("spec"), Mapping):
        applied["spec"] = _with_absolute_paths(applied.get("kind"), applied["spec"], directory)
    return applied


def _with_absolute_paths(kind: object, spec: Mapping[Any, Any], directory: Path) -> Mapping[Any, Any]:
    source, sources = spec.get("source"), spec.get("sources")
    if kind == "BaseModel" and isinstance(template := spec.get("chatTemplate"), str):
        spec = {**spec, "chatTemplate": _absolute(template, directory)}
    if kind in ("Adapter", "BaseModel") and isinstance(source, str):
        return {**spec, "source": _absolute(source, directory) if _is_path(source) else source}
    files = {"FineTune": "data", "Evaluation": "questions"}.get(str(kind), "")
    if isinstance(data := spec.get(files), Mapping) and isinstance(path := data.get("source"), str):
        return {**spec, files: {**data, "source": _absolute(path, directory) if _is_path(path) else path}}
    if kind == "KnowledgeBase" and isinstance(sources, list):
        return {**spec, "sources": [_with_absolute_path(item, directory) for item in sources]}
    return spec


def _with_absolute_path(source: object, directory: Path) -> object:
    if isinstance(source, Mapping) and isinstance(source.get("path"), str):
        return {**source, "path": _absolute(source["path"], directory)}
    return source


def _is_path(source: str) -> bool:
    """`./x`, `../x` and `file://x` are paths; `org/model` is a name on a hub and stays one."""
    return source.startswith(("./", "../", "/", "file://"))


def _absolute(path: str, directory: Path) -> str:
    """Symbolic links are kept: they are resolved at each use."""
    return os.path.normpath(directory / path.removeprefix("file://")) if path else path
