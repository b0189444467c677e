"""The files of a knowledge base's sources, within its limit.

Files of indexed documents are always listed, so edits and deletions are noticed however many files there are. The limit
holds back new files only.
"""

import heapq
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from retrieval.ingest.scan import File


@dataclass(frozen=True)
class Listing:
    """The files of one source. `new` are the first unindexed ones by path, `total` counts all files."""

    indexed: tuple[File, ...] = ()
    new: tuple[File, ...] = ()
    total: int = 0


def listing(files: Iterable[File], indexed: Set[str], most: int) -> Listing:
    """Holds at most `most` new files in memory. `indexed` are the paths of the source's documents."""
    present: list[File] = []
    count = 0

    def new() -> Iterable[File]:
        nonlocal count
        for file in files:
            count += 1
            if file.path in indexed:
                present.append(file)
            else:
                yield file

    first = heapq.nsmallest(most, new(), key=lambda file: file.path)
    return Listing(tuple(present), tuple(first), count)


def within(listings: Sequence[Listing], kept: int, most: int) -> tuple[list[File], int]:
    """The files to index, and the number of files left out. `kept` documents are of sources that cannot be read."""
    indexed = [file for each in listings for file in each.indexed]
    new = [file for each in listings for file in each.new][: max(0, most - kept - len(indexed))]
    files = indexed + new
    return files, sum(each.total for each in listings) - len(files)
