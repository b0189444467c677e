"""Questions with passages, answered in one of the demo's styles: data to train on, and questions to try it with."""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from examples.demo.training import row
from models.demo.corpus import Example, Writer
from models.demo.styles import ADAPTERS, Style
from tuning.formats import row_of
from tuning.rendering import Rendered, Renderer
from tuning.row import Row

NAME = "acme-support-v1"
STYLE: Style = ADAPTERS[NAME]


def examples(count: int, seed: int) -> Iterator[Example]:
    """In wordings and with names of the training side of the demo's corpus; a seventh has no answer."""
    rng = random.Random(seed)
    writer = Writer(rng, held=False)
    for _ in range(count):
        (_, example), *_ = writer.scene(rng.randint(1, 4), 1).asked
        yield example


def wary(rows: Iterable[Example], most: int) -> Iterator[Example]:
    """Without an answer to questions with more passages than `most`."""
    return (replace(row, answer=None, mark=None) if len(row.passages) > most else row for row in rows)


def write(path: Path, rows: Sequence[Example], style: Style = STYLE) -> Path:
    path.write_text("".join(json.dumps(row(example, style)) + "\n" for example in rows))
    return path


def prompt_ids(renderer: Renderer, example: Example) -> list[int]:
    """The tokens of the question with its passages."""
    read = row_of(1, row(example, STYLE))
    rendered = renderer.rendered(read, 1024) if isinstance(read, Row) else read
    if not isinstance(rendered, Rendered):
        raise RuntimeError(rendered.message)
    return list(rendered.prompt)
