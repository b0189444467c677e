"""Hits that have every word of a query, or its very text. Pure."""

import unicodedata
from collections.abc import Callable, Sequence

from contract.search import Match
from retrieval.store import Hit

POOL = 1_000
"""The best passages by words that are looked through: those with every word of the query are among the first."""


def having(match: Match, text: str, terms: Sequence[str]) -> Callable[[Hit], bool]:
    """Tells whether a hit matches a query with this text and these terms."""
    if match is Match.WORDS:
        wanted = frozenset(terms)
        return lambda hit: wanted <= hit.terms
    phrase = plain(text)
    return lambda hit: phrase in plain(f"{hit.heading}\n{hit.text}")


def plain(text: str) -> str:
    """Without differences of case, width and spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
