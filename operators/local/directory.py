"""A directory of YAML files as the place of objects.

An unreadable file keeps its last readable objects in force, and is reported as a problem: a broken edit stops nothing.
An empty file is a broken edit too; removing a file removes its objects.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from contract.adapter import Adapter, Decision
from contract.evaluation import Evaluation
from contract.fine_tune import Data, FineTune
from contract.knowledge_base import KnowledgeBase, Source
from contract.objects import AnyObject, Objects, collect
from contract.resource import Key
from contract.secret import Secret
from contract.snapshot import Problem, problem
from operators.local import decisions
from operators.local.manifest import FileError, parse
from operators.local.revisions import revision

SUFFIXES = (".yaml", ".yml")
STATE = ".quiver"
DOCUMENTS = "documents"
MOST_BYTES = 512 * 1024  # of one file: parsing takes a second

Files = Mapping[str, tuple[AnyObject, ...]]


@dataclass(frozen=True)
class Text:
    """The content of one file: the digest of its bytes, and its objects or a parse error."""

    digest: bytes
    objects: tuple[AnyObject, ...] = ()
    secrets: tuple[Secret, ...] = ()
    fault: str = ""


@dataclass(frozen=True)
class Contents:
    """The objects in force per file, the problems of files, and the revision of each adapter's source.

    `documents` is the real path of the tenants' documents. `unread` are files never read since the start; their objects
    are unknown. `secrets` are by namespace and name.
    """

    files: Files = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    revisions: Mapping[Key, str] = field(default_factory=dict)
    decisions: Mapping[Key, Decision] = field(default_factory=dict)
    secrets: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict, repr=False)
    documents: str | None = None
    unread: frozenset[str] = frozenset()
    texts: Mapping[str, Text] = field(default_factory=dict)

    @cached_property
    def objects(self) -> Objects:
        return collect(item for items in self.files.values() for item in items)

    @cached_property
    def credentials(self) -> Mapping[Key, Mapping[str, str]]:
        """By adapter, for existing Secrets only."""
        named = ((a.key, (a.namespace, a.spec.credentials or "")) for a in self.objects.adapters)
        return {key: self.secrets[name] for key, name in named if name in self.secrets}


def read(root: Path, previous: Contents) -> Contents:
    """The current contents; unreadable files keep their objects from `previous`. Raises OSError if `root` is gone."""
    paths = {_text_of(path.name): path for path in sorted(object_files(root))}
    texts = {name: _text(path, previous.texts.get(name)) for name, path in paths.items()}
    in_force = {name: _in_force(name, text, previous) for name, text in texts.items()}
    faults = [problem(name, text.fault) for name, text in texts.items() if text.fault]
    unique, doubles = _without_doubles(in_force)
    current = _with_generations(unique, previous)
    adapters = (item for items in current.values() for item in items if isinstance(item, Adapter))
    return Contents(
        files=current,
        problems=(*faults, *doubles),
        revisions={adapter.key: revision(adapter) for adapter in adapters},
        decisions=decisions.read(root / STATE),
        secrets=_secrets(texts, previous),
        documents=os.path.realpath(root / DOCUMENTS),
        unread=frozenset(name for name, text in texts.items() if text.fault and _never_read(name, previous)),
        texts=texts,
    )


def object_files(root: Path) -> Iterator[Path]:
    """YAML files directly in the directory, as with `kubectl apply -f DIR`. Files below it are documents."""
    visible = (path for path in root.iterdir() if path.suffix in SUFFIXES and path.name[0] != ".")
    return (path for path in visible if _is_file(path))


def _is_file(path: Path) -> bool:
    """An inaccessible path counts as a file: it must not count as removed."""
    try:
        return path.is_file()
    except OSError:
        return True


def _text_of(name: str) -> str:
    """File names are bytes; readers need text."""
    return os.fsencode(name).decode(errors="backslashreplace")


def _text(path: Path, before: Text | None) -> Text:
    """The file's current content. Unchanged files are not re-parsed."""
    try:
        content = _bytes(path)
    except OSError as error:
        return Text(b"", fault=f"cannot be read: {error.strerror}; make it readable, or remove it")
    digest = hashlib.sha256(content).digest()
    if before is not None and before.digest == digest:
        return before
    try:
        items = parse(content, path.parent)
    except FileError as error:
        return Text(digest, fault=str(error))
    secrets = tuple(item for item in items if isinstance(item, Secret))
    return Text(digest, tuple(item for item in items if not isinstance(item, Secret)), secrets)


def _secrets(texts: Mapping[str, Text], previous: Contents) -> dict[tuple[str, str], Mapping[str, str]]:
    """An unreadable file removes no Secret."""
    kept = dict(previous.secrets) if any(text.fault for text in texts.values()) else {}
    for text in texts.values():
        for secret in text.secrets:
            name = (secret.metadata.namespace, secret.metadata.name)
            kept[name] = {key: value.get_secret_value() for key, value in secret.string_data.items()}
    return kept


def _bytes(path: Path) -> bytes:
    """Raises OSError, also for too large a file."""
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise OSError(0, f"it is larger than {MOST_BYTES // 1024} KiB, split it")
    return content


def _in_force(name: str, text: Text, previous: Contents) -> tuple[AnyObject, ...]:
    return previous.files.get(name, ()) if text.fault else tuple(_with_real_sources(item) for item in text.objects)


def _never_read(name: str, previous: Contents) -> bool:
    """A file added during the run held nothing before; one present at the start may have held objects."""
    return name in previous.unread or not previous.texts


def _with_real_sources(item: AnyObject) -> AnyObject:
    """Ownership of documents is decided by their real path, so no link leads to another tenant's."""
    match item:
        case KnowledgeBase():
            real = tuple(Source.model_construct(path=_real(source.path)) for source in item.spec.sources)
            return item.model_copy(update={"spec": item.spec.model_copy(update={"sources": real})})
        case FineTune():
            return item.model_copy(update={"spec": item.spec.model_copy(update={"data": _real_data(item.spec.data)})})
        case Evaluation():
            questions = _real_data(item.spec.questions)
            return item.model_copy(update={"spec": item.spec.model_copy(update={"questions": questions})})
    return item


def _real(path: str) -> str:
    return _text_of(os.path.realpath(path))


def _real_data(data: Data) -> Data:
    return data.model_copy(update={"source": _real(data.source)}) if data.source.startswith("/") else data


def _without_doubles(files: Files) -> tuple[dict[str, tuple[AnyObject, ...]], list[Problem]]:
    """Of two objects with the same key, the first one counts."""
    owner: dict[Key, str] = {}
    kept: dict[str, tuple[AnyObject, ...]] = {}
    problems: list[Problem] = []
    for name, items in files.items():
        fresh: dict[Key, AnyObject] = {}
        for item in items:
            key = item.key
            if key in owner:
                problems.append(problem(name, f"{key} is in {owner[key]} already; remove one"))
            else:
                owner[key], fresh[key] = name, item
        kept[name] = tuple(fresh.values())
    return kept, problems


def _with_generations(files: Files, previous: Contents) -> dict[str, tuple[AnyObject, ...]]:
    """As an API server does: the generation grows when the spec changes."""
    before = {item.key: item for items in previous.files.values() for item in items}
    return {name: tuple(_generation(item, before.get(item.key)) for item in items) for name, items in files.items()}


def _generation(item: AnyObject, before: AnyObject | None) -> AnyObject:
    generation = before.metadata.generation + (item.spec != before.spec) if before else 1
    if before is not None and generation == before.metadata.generation:
        return before
    return item.model_copy(update={"metadata": item.metadata.model_copy(update={"generation": generation})})
