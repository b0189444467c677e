"""English conversations. A clause is in lower case, without punctuation and apostrophes."""

import re

from serving.gateway.conversation.english_phrases import PHRASES
from serving.gateway.conversation.english_spelling import spelt_out
from serving.gateway.conversation.grammar import grammar

_GRAMMAR = grammar(PHRASES, space=" ")

# Going on with what was said before.
_JOINING = re.compile(r"(?:and|but|what about|how about|what if|then|also|so|or|even|only|not|same|including|plus) ")
# A question of its own may begin so, but a short one leaves out what it is about.
_STARTING = re.compile(
    r"(?:for|on|in|at|with|without|from|until|till|after|before|if|when|which|since|by|because|to|do i|does it) "
)
_REFERRING = re.compile(
    r"\b(?:its|these|those|they|them|their|theirs|there|he|she|him|her|others|instead|too|latter|former|both|either"
    r"|neither|as well|anymore|otherwise|the other|(?:another|the \w+|this|that|which) ones?)\b"
    r"|\bit\b(?! takes?| costs?)(?<!does it)(?<!is it)|\bthen$"
    r"|\b(?:do|about|for|with|after|before|like|of|from|than|is|was|does|to) (?:that|this|it)\b(?! (?:take|cost))"
    r"|\b(?:that|this)$"
)
_SHORT = 4  # words: a shorter clause rarely names what it is about
_BRIEF = 5  # words

_ASKING = re.compile(
    r"\b(?:who|whom|whose|what|whats|which|when|where|why|how|can|could|would|should|may|is|are|do|does|did|has|tell|give"
    r"|show|list|find|explain|describe|define|write|name|compare|translate|need|want|wondering|wonder|know|looking|info"
    r"|information|details|recommend|suggest|help|please|price|cost|number|policy|rules)\b"
)
_SPEAKING = re.compile(
    r"\b(?:i|ill|im|id|ive|my|me|we|well|lets|you|your|youre|hi|hello|hey|thanks|thank|ok|okay|good|no|yes)\b"
)


def is_remark(clause: str) -> bool:
    """True if somebody says something, and does not ask."""
    return bool(_SPEAKING.search(clause)) and not _ASKING.search(clause)


def is_small_talk(clause: str) -> bool:
    return _GRAMMAR.says("SMALL_TALK", spelt_out(clause, _GRAMMAR.words))


def is_about_answer(clause: str) -> bool:
    return _GRAMMAR.says("ABOUT_ANSWER", spelt_out(clause, _GRAMMAR.words))


def continues(clause: str) -> bool:
    """True if the clause may not be understood without the question before."""
    words = len(clause.split())
    begins_so = _JOINING.match(clause) or (words < _BRIEF and _STARTING.match(clause))
    return bool(begins_so or _REFERRING.search(clause)) or words < _SHORT
