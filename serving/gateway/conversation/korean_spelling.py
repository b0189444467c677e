"""Korean as it is typed in a chat."""

import re

from serving.gateway.conversation.korean_phrases import SPELT_OUT

# Letters alone: laughter and tears say nothing if they stand apart from others, which are abbreviations.
_FEELINGS = re.compile("(?<![\u3131-\u3163])[ㅋㅎㅠㅜㅡ]+(?![\u3131-\u3163])")
_LONG = {
    short: long
    for pair in re.split("[,\n]", SPELT_OUT.strip())
    for short, long in [pair.strip().split(" ", maxsplit=1)]
}
_SHORT = re.compile("|".join(sorted(_LONG, key=len, reverse=True)))


def spelt_out(clause: str) -> str:
    """Without spaces and emoticons; a clause of emoticons alone is one of them."""
    spoken = _FEELINGS.sub("", clause).replace(" ", "")
    return _SHORT.sub(lambda match: _LONG[match[0]], spoken) if spoken else "ㅋㅋ"
