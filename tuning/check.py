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
    """A summary, a fact a line. A file without `faults` can be trained on."""

    summary: Sequence[str]
    faults: Sequence[str]
    faulty: int


def checked(data: Path, base: Path | None, max_length: int) -> Checked:
    """Without a base model's folder, rows are not rendered. Raises BaseUnreadableError and OSError."""
    renderer = Renderer.of(base) if base else None
    file = read(data)
    tokens = _tokens(file, renderer, max_length) if renderer else None
    return Checked(lines(file, divided(file.rows), tokens), fault_lines(file.faults, file.faulty), file.faulty)


def _tokens(file: Read, renderer: Renderer, max_length: int) -> Tokens:
    """Adds the faults of rendering."""
    kept: list[Rendered] = []
    for row in file.rows:
        rendered = renderer.rendered(row, max_length)
        if isinstance(rendered, Fault):
            file.add(rendered)
        else:
            kept.append(rendered)
    return tokens_of(kept, max_length)
