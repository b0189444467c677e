"""The content of Korean words in questions, without endings and function words. Pure.

Questions are full of endings, polite forms and question words that no document has. In "주문하면 배송비가
얼마인가요?", only 주문 and 배송비 are asked for; the bigrams of the rest would count as missing. Endings are removed in
questions only: a document's bigrams include those of the word without its ending.
"""

import re

# Question words; pronouns, adverbs and conjunctions; nouns of one syllable that count or place; forms of light verbs.
_FUNCTION_WORDS = frozenset(
    """
    무엇 뭐 뭘 뭔 무슨 언제 언제쯤 어디 어디서 어떻게 어떤 어느 얼마 얼마나 얼마쯤 며칠 몇 누가 누구 왜 이런 저런 그런
    나 저 제 제가 저희 우리 너 이거 이게 이건 그거 그게 그건 저거 이것 그것 여기 거기 이번 이번엔 이 그 등 및 것 거
    건 게 데 더 잘 못 안 또 다 좀 꼭 막 너무 아주 매우 아직 계속 자꾸 정도 따로 새로 먼저 항상 바로 다시 혹시 그냥
    만약 만일 정말 진짜 이제 지금
    그리고 그럼 그러면 그런데 근데 그래서 하지만 아니면 아니 또는 다른 아 네 예 음
    년 달 월 일 시 분 번 개 명 원 수 때 뒤 전 후 중 할 될 쓸 볼 낼 지 있는 없는 하는 되는 있을 위해 대한 대해
    하 해 했 하여 되 돼 됐 있 이 었 였 않 같 싶 싶은 알려 달라 궁금 안녕 감사
    나는 저는 나도 저도 너는 내가 네가 뭐가 뭐를 때에 때는 때도 것은 것이 것을 것도 건가 수가 수는 등이 등을
    년에 달에 일에 시에 안에 뒤에 전에 후에 중에 할까 될까 하나 되나 있나 하면 되면 있어 해서 돼서 해요 돼요 하죠
    되죠 있죠 하고 되고 했나 됐나 되니 하니 있니 해도 돼도 하지 되지
    """.split()  # noqa: SIM905 - a list of two hundred quoted words is harder to read
)
_LIGHT_VERB = "(?:하|해|했|되|돼|됐|있|이|였|드리|드려|시키|받)?"
_ENDING = re.compile(
    f"{_LIGHT_VERB}(?:"
    # Endings of sentences.
    "(?:습|합|입|됩|갑|옵|줍|십)니[다까]|(?:인|한|은|는|던|된|될|할|을|갈|올|쓸)?(?:가|까|지|데|거예|건가|건데|걸)요"
    "|(?:나|어|아|예|에|이에|네|군|죠|지|래|세|게|대|서|고|면|야|줘|려|라)요|(?:으)?(?:세요|십시오|시나요|셔야)"
    "|주(?:세요|십시오|시나요|실래요|나요|나|라|면)|나|니|냐|죠|지|까|음|함|됨|인가|는가|은가|은지|는지|인지|을지|할지|건지"
    # Endings of clauses.
    "|(?:으)?면|고|고서|서|어서|아서|려서|려고|려면|으려고|으려면|지만|는데|은데|인데|한데|던데|는데도|니까|으니까|거나|도록|면서"
    "|어야|아야|야|어도|아도|도|라도|라고|다고|냐고|자고|기|다가|자마자|느라"
    ")$"
)
_PARTICLE = re.compile(
    "(?:에서는|에서도|에서|에게|한테|으로는|으로|이랑|이나|이라도|부터|까지|마다|처럼|보다|만큼|밖에|에는|에도|은요|는요|도요"
    "|은|는|이|가|을|를|의|에|로|와|과|랑|도|만|란)$"
)
_EMOTION = re.compile("[\u3131-\u318e\u1100-\u11ff]+")  # letters that are no syllables, as ㅠㅠ and ㅋㅋ
_WORD = 2  # syllables that name something; a shorter rest of a word rarely does
_HANGUL = re.compile("[\uac00-\ud7a3\u3131-\u318e\u1100-\u11ff]+")


def is_korean(run: str) -> bool:
    """True if a run consists of Hangul."""
    return bool(_HANGUL.fullmatch(run))


def content(word: str) -> str:
    """The word without its ending or particle; empty if nothing is left to search for."""
    word = _EMOTION.sub("", word)
    if word in _FUNCTION_WORDS:
        return ""
    bare, stem = _PARTICLE.sub("", word), _ENDING.sub("", word)
    # Of a word of two syllables, one is not taken for an ending: 제도 (system) is not 제 (my) and a particle.
    is_verb = len(stem) < _WORD and len(stem) + _WORD <= len(word)  # of one syllable
    if len(word) > _WORD and (is_verb or {bare, stem} & _FUNCTION_WORDS):
        return ""
    # After one syllable, an apparent ending may be a part of the word, as in 나이 (age) and 용지 (paper).
    return min((each for each in (bare, stem) if len(each) >= _WORD), key=len, default=word)
