"""The headings above a paragraph."""

from collections.abc import Iterable, Iterator

from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.clean import clean

SEPARATOR = " > "
_LONGEST = 120  # kept characters of one heading


class Headings:
    """The current path of headings while a document is read from top to bottom."""

    def __init__(self) -> None:
        self._path: list[tuple[int, str]] = []
        self._alone: list[tuple[int, str]] = []  # headings still without text below, each deeper than the one before

    def enter(self, level: int, text: str) -> Iterator[Block]:
        """A heading of `level` closes all of the same level or deeper. A closed one without text below becomes text."""
        yield from self._closed(level)
        self._path = [entry for entry in self._path if entry[0] < level]
        self._alone = [entry for entry in self._alone if entry[0] < level]
        if shown := clean(text).replace("\n", " ")[:_LONGEST]:
            self._path.append((level, shown))
            self._alone.append((level, shown))

    def over(self, texts: Iterable[str], *, rows: bool = False) -> Iterator[Block]:
        """Blocks of the texts below the current headings; `rows` of a table, else paragraphs."""
        for text in texts:
            self._alone = []
            yield Block(SEPARATOR.join(heading for _, heading in self._path), text, rows)

    def end(self) -> Iterator[Block]:
        return self._closed(0)

    def _closed(self, level: int) -> Iterator[Block]:
        return (Block("", text) for above, text in self._alone if above >= level)
