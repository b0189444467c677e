"""Decisions by hand, one file for each adapter, like the annotation on a cluster."""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from contract.adapter import Decision
from contract.resource import Key
from service.files import replace

FOLDER = "decisions"


def write(
    state: Path, key: Key, action: Literal["Promote", "Rollback"], *, against: str | None, digest: str | None
) -> Decision:
    """Replaces the last decision. Raises OSError, and ValidationError for an invalid digest."""
    decision = Decision(id=uuid.uuid4().hex, action=action, against=against, digest=digest)
    folder = state / FOLDER
    folder.mkdir(exist_ok=True)
    replace(folder / f"{_stem(key)}.json", decision.model_dump_json(by_alias=True, exclude_none=True))
    return decision


def read(state: Path) -> Mapping[Key, Decision]:
    """By adapter. Unreadable decisions are ignored."""
    decisions: dict[Key, Decision] = {}
    for path in sorted((state / FOLDER).glob("*.json")):
        namespace, _, name = path.stem.partition(".")
        try:
            decisions[Key(kind="Adapter", namespace=namespace, name=name)] = Decision.model_validate_json(
                path.read_bytes()
            )
        except (OSError, ValidationError):
            continue
    return decisions


def _stem(key: Key) -> str:
    """Names hold no dot, so the parts can be separated again."""
    return f"{key.namespace}.{key.name}"
