"""The scripts of a text, such as LATIN and HANGUL. Pure."""

import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import lru_cache


@lru_cache(maxsize=65_536)
def script_of(letter: str) -> str:
    """The first word of the letter's name in Unicode, empty if it has none; of narrow kana, and of the signs that both
    kana have, KATAKANA."""
    name = unicodedata.name(letter, "")
    return "KATAKANA" if "KATAKANA" in name else name.split(" ")[0]


def scripts_of(text: str) -> Counter[str]:
    """The number of letters of each script."""
    return Counter(script_of(letter) for letter in text if letter.isalpha())


def share(text: str, is_read: Callable[[str], bool]) -> float:
    """The share of a text's letters in legible scripts, 0 to 1; 1 for a text without letters."""
    counted = scripts_of(text)
    total = counted.total()
    return sum(letters for script, letters in counted.items() if is_read(script)) / total if total else 1.0
