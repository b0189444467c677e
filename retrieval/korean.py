"""The part of a Korean word in a question that names what is asked for. Pure.

Questions end in polite forms and contain question words that no document has, such as the last word of "기간은
며칠인가요?". Their bigrams would count as missing. Particles are removed in questions only: a document's bigrams
include those of the word without its particle.
"""

import re

# Question words, and nouns of one syllable that count or place: year, month, time, thing, inside, after, …
_FUNCTION_WORDS = frozenset(
    """
    무엇 뭐 뭘 언제 어디 어떻게 어떤 어느 무슨 얼마 얼마나 며칠 몇 누가 누구 왜 등 및 더 잘 못 또 다 좀 그 이 저
    년 달 월 일 시 분 번 개 명 원 수 때 것 안 뒤 전 후 중 할 될 쓸 볼 낼 있는 없는 하는 되는 있을 위해 대한 대해
    """.split()  # noqa: SIM905 - a list of sixty quoted words is harder to read
)
_ENDING = re.compile(
    "(?:이|였|했|됐|있|없|하|되|해|돼)?"
    "(?:습니까|입니까|합니까|됩니까|인가요|한가요|은가요|는가요|하나요|되나요|나요|까요|가요|어요|아요|예요|죠|지요"
    "|니까|는지|인지|인가|나)$"
)
_PARTICLE = re.compile("(?:에서|에게|으로|부터|까지|이나|은|는|이|가|을|를|의|에|로|와|과|도|만|란)$")
_HANGUL = re.compile("[\uac00-\ud7a3]+")


def is_korean(run: str) -> bool:
    """Whether a run consists of Hangul syllables."""
    return bool(_HANGUL.fullmatch(run))


def content(word: str) -> str:
    """The word without its ending or particle; empty if it is a function word."""
    stem = _ENDING.sub("", word)
    bare = _PARTICLE.sub("", stem)
    # A particle after one syllable may be a part of the word, as in 나이 (age).
    if len(bare) > 1 or bare in _FUNCTION_WORDS:
        stem = bare
    return "" if stem in _FUNCTION_WORDS else stem
