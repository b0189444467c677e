"""Objects that the platform itself writes into a directory of objects: keys, and adapters of trainings."""

import secrets
from pathlib import Path

import yaml

from contract.objects import AnyObject, to_data
from contract.resource import Key
from operators.local import directory
from operators.local.directory import Contents


class SharedFileError(Exception):
    """The object's file has other objects, too; the message is its name."""


def path_of(root: Path, item: AnyObject) -> Path:
    """The file of an object that the platform writes. Names have no dot."""
    kind = "key" if item.kind == "APIKey" else item.kind.lower()
    return root / f"{kind}-{item.namespace}.{item.name}.yaml"


def write(path: Path, item: AnyObject) -> None:
    """Readers see the whole file or none. Raises FileExistsError, and OSError for another fault."""
    data = to_data(item)
    data.pop("status", None)
    staged = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        staged.write_text(yaml.safe_dump(data, sort_keys=False))
        path.hardlink_to(staged)
    finally:
        staged.unlink(missing_ok=True)


def remove(root: Path, key: Key) -> str | None:
    """The removed file; None without one. Raises SharedFileError and OSError."""
    contents = directory.read(root, Contents())
    file = next((file for file, items in contents.files.items() if key in (item.key for item in items)), None)
    if file is None:
        return None
    text = contents.texts[file]
    if len(text.objects) + len(text.secrets) > 1:
        raise SharedFileError(file)
    (root / file).unlink()
    return file
