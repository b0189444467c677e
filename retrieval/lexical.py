"""The terms of a text, for the lexical retriever. Pure.

Text is normalised (NFKC), case-folded and split into words. Words in plain letters are stemmed as English. In scripts
without spaces, a run of characters becomes bigrams, so Korean and Japanese words match with any particle after them. A
document also gets the single characters of a run, for questions of one character. A term contains no space, so terms
are stored as one line.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from threading import local

from Stemmer import Stemmer

from retrieval import korean

# Written without spaces, or with particles attached: Thai, Lao, Myanmar, Hangul, Khmer, kana, Han.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Combining marks inside a word: vowel signs, viramas, accents without a composed form. Marks of the scripts above
# are not in it, nor variation selectors, which only change glyphs.
_MARKS = "".join(
    character
    for character in map(chr, (*range(0x0300, 0xFE00), *range(0xFE20, 0x1E950)))
    if unicodedata.category(character) in ("Mn", "Mc") and not re.match(f"[{_UNSPACED}]", character)
)
_TOKEN = re.compile(f"(?P<run>[{_UNSPACED}]+)|(?P<word>(?:[^\\W_{_UNSPACED}][{_MARKS}]*+)++)")
_LONGEST_WORD = 64  # characters; a longer "word" is encoded data, and nobody types it into a question

_stemmers = local()

STOP_WORDS = frozenset(
    """
    a an and any are as at be been but by can could did do does for from had has have how i if in into is it its
    many may me much my no not of on or our s shall should so some such t than that the their them then there these
    they this those to was we were what when where which who whom whose why will with would you your about
    actually again already also am anybody anyone anything because between d didn doesn don else even get gets getting
    got he hello her here hey hi him his i im isn ive just know let like ll lot m maybe need now ok okay one only out
    quite re really s she somebody someone something still sure tell thank thanks though too up us ve very want won yes
    """.split()  # noqa: SIM905 - a list of quoted words is harder to read
)


def terms(text: str) -> list[str]:
    """The terms of a document in their order, repeats included."""
    result: list[str] = []
    for run, word in _tokens(text):
        result.extend([*_bigrams(run), *(run if len(run) > 1 else "")] if run else [_stem(word)])
    return result


def query_terms(text: str) -> list[str]:
    """The distinct terms of a question, without function words unless it has no other terms."""
    tokens = list(_tokens(text))
    content = [(korean.content(run) if korean.is_korean(run) else run, word) for run, word in tokens]
    return _distinct((run, word) for run, word in content if word not in STOP_WORDS) or _distinct(tokens)


def _distinct(tokens: Iterable[tuple[str, str]]) -> list[str]:
    terms = (term for run, word in tokens if run or word for term in (_bigrams(run) if run else [_stem(word)]))
    return list(dict.fromkeys(terms))


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Each run of an unspaced script, or each word: one of the two is empty."""
    for match in _TOKEN.finditer(unicodedata.normalize("NFKC", text).casefold()):
        yield match["run"] or "", (match["word"] or "")[:_LONGEST_WORD]


def _bigrams(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def _stem(word: str) -> str:
    """The stem of an English word; other words as they are. A stemmer object serves one thread at a time."""
    if not (word.isascii() and word.isalpha()):
        return word
    if not hasattr(_stemmers, "english"):
        _stemmers.english = Stemmer("english")
    stem: str = _stemmers.english.stemWord(word)
    return stem
