"""Texts as they are compared (pure): without marks of citations, case, and punctuation at the ends (NFKC)."""

import re
import unicodedata

# Hangul, kana and ideographs: words of these scripts are not told apart by spaces alone.
SCRIPTS = r"\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af"
_MARK = re.compile(r"\s*\[\d+\]")
_BEFORE = " \t\n;:!?\"'()*_`。、"  # a point may begin a number
_AFTER = _BEFORE + ".,"


def normal(text: str) -> str:
    without = _MARK.sub("", unicodedata.normalize("NFKC", text))
    return " ".join(without.casefold().split()).lstrip(_BEFORE).rstrip(_AFTER)
