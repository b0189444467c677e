"""English conversations. A clause is in lower case, without punctuation and apostrophes."""

import re

from serving.gateway.conversation.english_phrases import PHRASES
from serving.gateway.conversation.english_spelling import spelt_out
from serving.gateway.conversation.grammar import grammar

_GRAMMAR = grammar(PHRASES, space=" ")

_STARTING = re.compile(
    r"(?:and|but|what about|how about|what if|then|also|so|or|for|on|in|at|with|without|from|until|till|after|before|if"
    r"|only|even|when|not|which|since|by|because|to|same|including|plus|do i|does it) "
)
_REFERRING = re.compile(
    r"\b(?:it|its|that|this|these|those|they|them|their|theirs|there|ones?|same|he|she|him|her|others?|another|else|such"
    r"|then|instead|too|latter|former|both|either|neither|as well|anymore|otherwise)\b"
)
_SHORT = 4  # words: a shorter clause rarely names what it is about

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
    return bool(_STARTING.match(clause) or _REFERRING.search(clause)) or len(clause.split()) < _SHORT
