"""Text with a line for each paragraph and each row of a table, as converters write it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from retrieval.ingest.chunk import Block
from retrieval.ingest.parse.clean import clean, paragraphs
from retrieval.ingest.parse.headings import Headings
from retrieval.ingest.parse.table import Row, row_texts


def line_blocks(lines: Iterable[str], cells: Callable[[str], Sequence[str]]) -> Iterator[Block]:
    """Paragraphs, and tables of consecutive rows. `cells` returns the cells of a row, and none of another line."""
    headings = Headings()
    split = ((line, tuple(map(clean, cells(line)))) for line in lines)
    for is_table, group in groupby(split, lambda pair: bool(pair[1])):
        if is_table:
            yield from headings.over(row_texts([Row(row) for _, row in group]), rows=True)
        else:
            for line, _ in group:
                yield from headings.over(paragraphs(line))
