"""Text to passages of one to a few sentences. Pure.

A paragraph becomes a passage of its own. A very short one joins its neighbour under the same heading; a too long one is
cut between sentences, and a too long sentence between words.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

SHORT = 8  # tokens: a paragraph below it rarely answers anything alone

# After . ! ? or an ellipsis and a space, optionally with a closing quote or bracket between; after full-width marks,
# without a space; at every line break.
_SENTENCE_END = re.compile(
    "(?<=[.!?\u2026])\\s+|(?<=[.!?\u2026][\"'\u201d\u2019)\\]])\\s+|(?<=[\u3002\uff01\uff1f])|\n+"
)

Size = Callable[[str], int]


@dataclass(frozen=True)
class Block:
    """A paragraph, list item or table row as the parser found it, under the headings above it."""

    heading: str
    text: str


def passages(blocks: Iterable[Block], *, budget: int, size: Size) -> Iterator[Block]:
    """Passages of at most `budget` tokens as `size` counts them; together they hold every word of the blocks.

    Each block is counted once, and again only where it is cut.
    """

    def cost(text: str) -> int:
        return max(1, size(text))  # uncounted characters need room too

    for block, total in _joined(blocks, budget=budget, size=cost):
        yield from (Block(block.heading, part) for part in _parts(block.text, total, budget, cost))


def _joined(blocks: Iterable[Block], *, budget: int, size: Size) -> Iterator[tuple[Block, int]]:
    """Blocks in order and their sizes, with a short one joined to the one before it where both fit and share a heading.
    Sizes are summed: a line break costs no token."""
    pending: Block | None = None
    total = 0
    for block in blocks:
        added = size(block.text)
        short = min(total, added) < SHORT and total + added <= budget
        if pending is not None and pending.heading == block.heading and short:
            pending, total = Block(pending.heading, f"{pending.text}\n{block.text}"), total + added
            continue
        if pending is not None:
            yield pending, total
        pending, total = block, added
    if pending is not None:
        yield pending, total


def _parts(text: str, total: int, budget: int, size: Size) -> Iterator[str]:
    """The text itself if it fits, else runs of its sentences."""
    if total <= budget:
        yield text
        return
    pieces = (piece for sentence in _sentences(text) for piece in _fitting(sentence, budget, size))
    yield from _packed(pieces, budget, size)


def _sentences(text: str) -> list[str]:
    return [sentence for part in _SENTENCE_END.split(text) if (sentence := part.strip())]


def _fitting(sentence: str, budget: int, size: Size) -> Iterator[str]:
    """A sentence, or its words packed to the budget; a word over the budget is cut between characters."""
    if size(sentence) <= budget:
        yield sentence
        return
    yield from _packed((part for word in sentence.split() for part in _letters(word, budget, size)), budget, size)


def _letters(word: str, budget: int, size: Size) -> Iterator[str]:
    """A word, or stretches of `budget` characters of it: a character is never more than one token."""
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
