"""How much of a text the embedder's vocabulary can read. Pure.

A word-piece model has a piece for every letter but words only for the languages of its training: what is spelled
letter by letter it does not understand, and its vector is noise. English counts near 1, Korean 0, whatever the script.
"""

from collections.abc import Sequence

ENOUGH = 0.5  # a text of which less is read has no place in the dense leg


def legibility(pieces: Sequence[str], spans: Sequence[tuple[int, int]], text: str) -> float:
    """The share of the letters that lie in pieces of two letters or more: 0 to 1, and 1 without any letter.

    `pieces` are word pieces without special tokens, `spans` their places in `text`.
    """
    read = letters = 0
    for piece, (start, end) in zip(pieces, spans, strict=True):
        spelled = sum(map(str.isalpha, text[start:end] if piece == "[UNK]" else piece))
        letters += spelled
        read += spelled if spelled > 1 and piece != "[UNK]" else 0
    return read / letters if letters else 1.0
