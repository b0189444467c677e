"""Reads a file of rows, one JSON object a line, without holding more than a line of it."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuning.formats import row_of
from tuning.row import Fault, Row

LONGEST_LINE = 1 << 20  # bytes
MOST_FAULTS = 100  # kept; all are counted
LEAST_ROWS = 10
_BOM = b"\xef\xbb\xbf"
_SURROGATES = range(0xD800, 0xE000)


@dataclass
class Read:
    """A file's rows and faults in its order, and its SHA-256. `lines` counts those that are not empty."""

    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lines: int = 0
    faulty: int = 0
    digest: str = ""

    def add(self, found: Row | Fault) -> None:
        if isinstance(found, Row):
            self.rows.append(found)
            return
        self.faulty += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(found)


def read(path: Path) -> Read:
    """Raises OSError."""
    result, digest = Read(), hashlib.sha256()
    with path.open("rb") as file:
        for number, line in enumerate(_lines(file), 1):
            digest.update(line)
            text = line.removeprefix(_BOM) if number == 1 else line
            if not text.strip():
                continue
            result.lines += 1
            found = parsed(number, text)
            result.add(found)
            if isinstance(found, Fault) and found.code == "array_not_jsonl":
                break  # all other lines would have the same fault
    result.digest = digest.hexdigest()
    if not result.faulty and len(result.rows) < LEAST_ROWS:
        result.add(Fault(0, "too_few", f"it has {len(result.rows)} rows, and at least {LEAST_ROWS} are needed"))
    return result


def _lines(file: Any) -> Iterator[bytes]:
    """Of a line that is too long, its beginning; the rest of it is passed over."""
    while line := file.readline(LONGEST_LINE + 1):
        yield line
        while not line.endswith(b"\n") and len(line) > LONGEST_LINE:
            line = file.readline(LONGEST_LINE + 1)


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
    found = row_of(number, value)
    if isinstance(found, Row) and _has_surrogate(found):
        return Fault(number, "lone_surrogate", "it has half of a character (a lone surrogate), which no text has")
    return found


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
