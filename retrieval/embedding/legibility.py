"""The readable share of a text for the embedder's vocabulary. Pure.

A word-piece model has a piece for every letter, but words only for the languages of its training. Text spelled letter
by letter gets a meaningless vector. English counts near 1, Korean 0, independent of the script.
"""

from collections.abc import Sequence

ENOUGH = 0.5  # a less readable text is not ranked by the dense retriever


def legibility(pieces: Sequence[str], spans: Sequence[tuple[int, int]], text: str) -> float:
    """The share of letters in pieces of two letters or more: 0 to 1, and 1 without any letter.

    `pieces` are word pieces without special tokens, `spans` their positions in `text`.
    """
    read = letters = 0
    for piece, (start, end) in zip(pieces, spans, strict=True):
        spelled = sum(map(str.isalpha, text[start:end] if piece == "[UNK]" else piece))
        letters += spelled
        read += spelled if spelled > 1 and piece != "[UNK]" else 0
    return read / letters if letters else 1.0
