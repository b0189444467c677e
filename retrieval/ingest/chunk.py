"""Cuts text into passages of one or a few sentences. Pure.

Each paragraph becomes a passage. A very short paragraph joins its neighbour under the same heading; one that is too
long is cut between sentences, and a sentence that is too long between words.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

SHORT = 8  # tokens: a shorter paragraph rarely answers a question alone

# After . ! ? or an ellipsis and a space, optionally with a closing quote or bracket between; after full-width marks,
# without a space; at every line break.
_SENTENCE_END = re.compile(
    "(?<=[.!?\u2026])\\s+|(?<=[.!?\u2026][\"'\u201d\u2019)\\]])\\s+|(?<=[\u3002\uff01\uff1f])|\n+"
)

Size = Callable[[str], int]


@dataclass(frozen=True)
class Block:
    """A paragraph, list item or table row as the parser found it, under the headings above it. A row (`is_row`) is
    never joined with its neighbours. `page` counts from 1, 0 where the format has no pages."""

    heading: str
    text: str
    is_row: bool = False
    page: int = 0


def passages(blocks: Iterable[Block], *, budget: int, size: Size) -> Iterator[Block]:
    """Passages of at most `budget` tokens as `size` counts them; together they hold every word of the blocks.

    `size` is called once for each block, and again only for the parts of a block that is cut.
    """

    def cost(text: str) -> int:
        return max(1, size(text))  # text that counts as 0 tokens needs room too

    for block, total in _joined(blocks, budget=budget, size=cost):
        yield from (Block(block.heading, part, page=block.page) for part in _parts(block.text, total, budget, cost))


def _joined(blocks: Iterable[Block], *, budget: int, size: Size) -> Iterator[tuple[Block, int]]:
    """Blocks in order, with their sizes. Two neighbours are joined if one is short, both fit the budget, and they share
    a heading. Sizes are summed: a line break costs no token."""
    pending: Block | None = None
    total = 0
    for block in blocks:
        added = size(block.text)
        short = min(total, added) < SHORT and total + added <= budget
        if pending is not None and short and _are_prose(pending, block):
            pending, total = replace(pending, text=f"{pending.text}\n{block.text}"), total + added
            continue
        if pending is not None:
            yield pending, total
        pending, total = block, added
    if pending is not None:
        yield pending, total


def _are_prose(one: Block, other: Block) -> bool:
    """True if both are paragraphs under the same heading."""
    return one.heading == other.heading and not one.is_row and not other.is_row


def _parts(text: str, total: int, budget: int, size: Size) -> Iterator[str]:
    """The whole text if it fits, else groups of consecutive sentences."""
    if total <= budget:
        yield text
        return
    pieces = (piece for sentence in _sentences(text) for piece in _fitting(sentence, budget, size))
    yield from _packed(pieces, budget, size)


def _sentences(text: str) -> list[str]:
    return [sentence for part in _SENTENCE_END.split(text) if (sentence := part.strip())]


def _fitting(sentence: str, budget: int, size: Size) -> Iterator[str]:
    """A sentence, or groups of its words within the budget; a longer word is cut between characters."""
    if size(sentence) <= budget:
        yield sentence
        return
    yield from _packed((part for word in sentence.split() for part in _letters(word, budget, size)), budget, size)


def _letters(word: str, budget: int, size: Size) -> Iterator[str]:
    """A word, or its parts of `budget` characters: a character is never more than one token."""
    if size(word) <= budget:
        yield word
    else:
        yield from (word[start : start + budget] for start in range(0, len(word), budget))


def _packed(pieces: Iterable[str], budget: int, size: Size) -> Iterator[str]:
    """Consecutive pieces joined by spaces, as many as fit. Sizes are summed: a space costs no token."""
    pending: list[str] = []
    total = 0
    for piece in pieces:
        cost = size(piece)
        if pending and total + cost > budget:
            yield " ".join(pending)
            pending, total = [], 0
        pending.append(piece)
        total += cost
    if pending:
        yield " ".join(pending)
