"""A partly received file: its size so far, and its content's identity. Blocks: call from a thread.

`NAME.part` holds the bytes. `NAME.part.json` identifies their content; it is written before the first byte and removed
before the bytes, so it never describes other bytes.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True)
class Received:
    """`have` bytes of the remote's content `tag`; `total` is its size, if known."""

    tag: str
    total: int | None
    have: int

    @property
    def complete(self) -> bool:
        return self.have == self.total


NOTHING = Received("", None, 0)


@dataclass(frozen=True)
class Part:
    directory: Path
    name: str

    @property
    def path(self) -> Path:
        return self.directory / f"{self.name}.part"

    @property
    def note(self) -> Path:
        return self.directory / f"{self.name}.part.json"

    def received(self) -> Received:
        try:
            note = json.loads(self.note.read_bytes())
            have = self.path.stat(follow_symlinks=False).st_size
        except (OSError, ValueError, RecursionError):
            return NOTHING
        match note:
            case {"tag": str(tag), "total": int() | None as total} if tag and have and (total is None or have <= total):
                return Received(tag, total, have)
        return NOTHING

    def start(self, tag: str, total: int | None) -> BinaryIO:
        """Starts over. Without a tag the bytes cannot be identified later."""
        self.discard()
        file = self.path.open("xb")
        if tag:
            self.note.write_text(json.dumps({"tag": tag, "total": total}))
        return file

    def resume(self) -> BinaryIO:
        return self.path.open("ab")

    def settle(self, tag: str) -> None:
        """The part is complete, its size was not known before."""
        self.note.write_text(json.dumps({"tag": tag, "total": self.path.stat().st_size}))

    def discard(self) -> None:
        self.note.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def publish(parts: Sequence[Part]) -> None:
    """Every part under its own name; only when all of them are complete."""
    for part in parts:
        part.path.replace(part.directory / part.name)
    for part in parts:
        part.note.unlink(missing_ok=True)
