"""The size of a regular expression with its repetitions written out, as engines do (pure)."""

import re

_COUNT = re.compile(r"\{(\d{1,9})(?:,(\d{0,9}))?\}")
_GROUP_HEAD = re.compile(r"\((?:\?(?:[:=!]|<[=!]|P?<\w*>))?")
_ESCAPE = re.compile(r"\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)


def size(pattern: str) -> int:
    """The number of characters and classes, each times its repetitions: a{3} is 3, (ab{2}){10} is 30."""
    totals, last, at = [0], 0, 0
    while at < len(pattern):
        if match := _COUNT.match(pattern, at):
            counted = max(int(match[1]), int(match[2] or 0), 1)
            totals[-1] += last * (counted - 1)
            last *= counted
        elif match := _GROUP_HEAD.match(pattern, at):
            totals.append(0)
        elif pattern[at] == ")" and len(totals) > 1:
            last = max(totals.pop(), 1)
            totals[-1] += last
        elif pattern[at] not in "*+?|^$":
            match = _ESCAPE.match(pattern, at) or _CLASS.match(pattern, at)
            last = 1
            totals[-1] += 1
        at = match.end() if match else at + 1
    return sum(totals)
