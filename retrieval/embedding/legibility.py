"""The share of a text in the embedder's vocabulary. Pure.

A word-piece vocabulary has a piece for every letter, but whole words only for the languages of its training. Text that
is spelled letter by letter gets a meaningless vector. English scores near 1 and Korean 0; the script does not matter.
"""

from collections.abc import Sequence

UNKNOWN = frozenset({"[UNK]", "<unk>"})  # of word pieces, of sentence pieces
ENOUGH = 0.5  # the dense retriever leaves out less readable texts


def legibility(pieces: Sequence[str], spans: Sequence[tuple[int, int]], text: str) -> float:
    """The share of letters in pieces of two letters or more: 0 to 1; 1 for a text without letters.

    `pieces` are word pieces without special tokens, `spans` their positions in `text`.
    """
    read = letters = 0
    for piece, (start, end) in zip(pieces, spans, strict=True):
        spelled = sum(map(str.isalpha, text[start:end] if piece in UNKNOWN else piece))
        letters += spelled
        read += spelled if spelled > 1 and piece not in UNKNOWN else 0
    return read / letters if letters else 1.0
