"""Reads a file of rows, one JSON object a line, without holding more than a line of it."""

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from tuning.formats import row_of
from tuning.row import Fault, Row

LONGEST_LINE = 1 << 20  # bytes
MOST_FAULTS = 100  # kept; all are counted
LEAST_ROWS = 10
_BOM = b"\xef\xbb\xbf"
_SURROGATES = range(0xD800, 0xE000)


@dataclass
class Read:
    """A file's rows and faults in its order, and its SHA-256. `lines` counts all but empty ones."""

    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lines: int = 0
    faulty: int = 0
    digest: str = ""

    def add(self, result: Row | Fault) -> None:
        if isinstance(result, Row):
            self.rows.append(result)
            return
        self.faulty += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(result)


def read(path: Path) -> Read:
    """Raises OSError."""
    result, digest = Read(), hashlib.sha256()
    with path.open("rb") as file:
        numbered = enumerate(_lines(file, digest.update), 1)
        for number, line in numbered:
            text = line.removeprefix(_BOM) if number == 1 else line
            if not text.strip():
                continue
            result.lines += 1
            row = parsed(number, text)
            result.add(row)
            if isinstance(row, Fault) and row.code == "array_not_jsonl":
                deque(numbered, 0)  # all other lines would have the same fault; they count for the digest alone
    result.digest = digest.hexdigest()
    if not result.faulty and len(result.rows) < LEAST_ROWS:
        result.add(Fault(0, "too_few", f"it has {len(result.rows)} rows, and at least {LEAST_ROWS} are needed"))
    return result


def _lines(file: BinaryIO, count: Callable[[bytes], None]) -> Iterator[bytes]:
    """Each line; a longer one is cut after `LONGEST_LINE`. `count` gets every byte."""
    while line := file.readline(LONGEST_LINE + 1):
        count(line)
        yield line
        while not line.endswith(b"\n") and len(line) > LONGEST_LINE:
            line = file.readline(LONGEST_LINE + 1)
            count(line)


def parsed(number: int, line: bytes) -> Row | Fault:
    """A row from its line (pure)."""
    if len(line) > LONGEST_LINE:
        return Fault(number, "line_too_long", f"it has more than {LONGEST_LINE:,} bytes")
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        return Fault(number, "bad_utf8", f"byte {error.start + 1} is not UTF-8: save the file as UTF-8")
    if number == 1 and text.lstrip().startswith("["):
        return Fault(number, "array_not_jsonl", "the file is one list: write each of its objects on a line of its own")
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except _DuplicateKeyError as error:
        return Fault(number, "duplicate_key", f"the key {error} is there twice")
    except (json.JSONDecodeError, RecursionError) as error:
        where = f", column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        return Fault(number, "invalid_json", f"it is not JSON{where}: {getattr(error, 'msg', 'it is nested too deep')}")
    row = row_of(number, value)
    if isinstance(row, Row) and _has_surrogate(row):
        return Fault(number, "lone_surrogate", "it has half of a character (a lone surrogate), which no text has")
    return row


class _DuplicateKeyError(Exception):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _DuplicateKeyError(next(key for key in keys if keys.count(key) > 1))
    return value


def _has_surrogate(row: Row) -> bool:
    texts = (*(message.content for message in row.prompt), row.answer)
    return any(ord(character) in _SURROGATES for text in texts for character in text)
