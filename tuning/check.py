"""Looks at a file of rows as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tuning.division import divided
from tuning.reading import Read, read
from tuning.rendering import Rendered, Renderer
from tuning.report import Tokens, fault_lines, lines, tokens_of
from tuning.row import Fault


@dataclass(frozen=True)
class Checked:
    """What to say, a fact a line; `faults` are empty if the file can be trained on."""

    summary: Sequence[str]
    faults: Sequence[str]
    faulty: int


def checked(data: Path, base: Path | None, max_length: int) -> Checked:
    """Without a base model's folder, rows are not rendered. Raises BaseUnreadableError and OSError."""
    renderer = Renderer.of(base) if base else None
    found = read(data)
    tokens = _tokens(found, renderer, max_length) if renderer else None
    return Checked(lines(found, divided(found.rows), tokens), fault_lines(found.faults, found.faulty), found.faulty)


def _tokens(found: Read, renderer: Renderer, max_length: int) -> Tokens:
    """Adds the faults of rendering."""
    kept: list[Rendered] = []
    for row in found.rows:
        rendered = renderer.rendered(row, max_length)
        if isinstance(rendered, Fault):
            found.add(rendered)
        else:
            kept.append(rendered)
    return tokens_of(kept, max_length)
