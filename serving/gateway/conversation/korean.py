"""Korean conversations. Spaces do not count in phrases, since people leave them out."""

import re

from serving.gateway.conversation.grammar import grammar
from serving.gateway.conversation.korean_phrases import PHRASES
from serving.gateway.conversation.korean_spelling import spelt_out

_GRAMMAR = grammar(PHRASES, space="")
_WRITTEN = re.compile("[\uac00-\ud7a3\u3131-\u318e]")

_STARTING = re.compile(
    "(?:그럼|그러면|그리고|그런데|근데|그건|그거|그것|그게|그걸|그 |그때|그중|이건|이거|이것|이게|이걸|이 "
    "|거기|여기|저기|또 |또는|혹시|만약|만일|아니면|그렇다면|그래도|그래서|그 외|그외|둘 |둘다|두 |나머지|다른"
    "|반대로|대신|하지만|같은|거긴|그쪽)"
)
_ENDING = re.compile("(?:은요|는요|도요|이요|요는|만요|까지요|부터요|라면요|이면요|면요|은|는|도|라도)$")
_REFERRING = re.compile("(?:^| )(?:그것|그거|그건|그게|그걸|거기|그때|그곳|이것|이거|이건|이게|둘|그 )")
_SHORT = 4  # words: a shorter clause rarely names what it is about

_ASKING = re.compile(
    "(?:나요|까요?|니까|가요|은지|는지|인지|뭐|뭘|무엇|언제|어디|어떻게|얼마|며칠|몇|누가|누구|왜|어느|어떤|무슨|알려|가르쳐|찾아|추천|궁금|설명|주세요"
    "|주십시오|해줘|줘요?$|싶|필요|방법|부탁|되니|있니|있냐|되냐)"
)
_SPEAKING = re.compile("(?:[어아여해네군게래]요|죠|니다|[었았였겠는]다|네|군|구나|[겠았었]어|ㅋ+|ㅎ+|ㅠ+|십시오|세요)$")


def is_remark(clause: str) -> bool:
    """True if somebody says something, and does not ask."""
    return bool(_SPEAKING.search(clause)) and not _ASKING.search(clause)


def is_written(text: str) -> bool:
    return bool(_WRITTEN.search(text))


def is_small_talk(clause: str) -> bool:
    return _GRAMMAR.says("SMALL_TALK", spelt_out(clause))


def is_about_answer(clause: str) -> bool:
    return _GRAMMAR.says("ABOUT_ANSWER", spelt_out(clause))


def continues(clause: str) -> bool:
    """True if the clause may not be understood without the question before."""
    return (
        bool(_STARTING.match(clause) or _ENDING.search(clause) or _REFERRING.search(clause))
        or len(clause.split()) < _SHORT
    )
