"""The kinds of a conversation's last message."""

import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum

from serving.gateway.conversation import english, korean

LONGEST = 160  # characters of small talk; a longer message is a question
# Characters, messages: the event loop waits while a conversation is read.
LONGEST_READ = 200
LONGEST_CLAUSE = 60
MOST_READ = 4
MOST_PREVIOUS = 2  # questions before a follow-up that are searched for with it

_CLAUSE_END = re.compile(r"(?:[.!?,~()\n\u2026\u3002\uff01\uff1f\u3001]|;(?!\w))+")
_CLAUSE = re.compile(r".+?(?:[.!?,;:~\u2026]+(?=\s|$)|\n|$)\s*", re.DOTALL)
_MARK = re.compile(r"\s?\[\d{1,2}\]")
_SIGNS = re.compile(r"(?=.*\S)[^\w?\uff1f]+")  # signs alone, such as a thumb; a question mark asks
_SMILEY = re.compile(r"(?<!\w)[:;=]'?-?[()dDpPoO3/|]+(?!\w)")
_UNSPOKEN = re.compile(r"[^\w\s']")


class Turn(StrEnum):
    QUESTION = "question"
    FOLLOW_UP = "follow_up"
    SMALL_TALK = "small_talk"
    ABOUT_ANSWER = "about_answer"
    REMARK = "remark"
    """Neither asks nor requests anything, as "Then I will try that"."""

    @property
    def needs_documents(self) -> bool:
        return self in (Turn.QUESTION, Turn.FOLLOW_UP)


def turn(message: str, *, is_first: bool) -> Turn:
    """Only a message after an answer can be a follow-up, a remark, or about the answer. A very long message is a
    question."""
    if len(message) > LONGEST_READ:
        return Turn.QUESTION
    if _SIGNS.fullmatch(message):
        return Turn.SMALL_TALK
    clauses = _clauses(message)
    others = [clause for clause in clauses if not _is_small_talk(clause)]
    if len(message) <= LONGEST and clauses:
        if not others:
            return Turn.SMALL_TALK
        if not is_first and all(map(_is_about_answer, others)):
            return Turn.ABOUT_ANSWER
    if is_first:
        return Turn.QUESTION
    if clauses and not _asks(message) and all(map(_is_remark, others)):
        return Turn.REMARK
    return Turn.FOLLOW_UP if any(map(_continues, others)) else Turn.QUESTION


def without_small_talk(message: str) -> str:
    """The message without greetings and thanks around it; all of it if it is nothing else."""
    if len(message) > LONGEST_READ:
        return message
    parts = _CLAUSE.findall(message)
    says = [bool(clauses := _clauses(part)) and not all(map(_is_small_talk, clauses)) for part in parts]
    if not any(says):
        return message
    return "".join(parts[says.index(True) : len(says) - says[::-1].index(True)]).strip()


def without_marks(answer: str) -> str:
    """The answer without the marks of its passages."""
    return _MARK.sub("", answer).strip()


def previous_questions(messages: Sequence[str]) -> list[str]:
    """The questions before a follow-up, oldest first, back to the last self-contained one."""
    earlier: list[str] = []
    for position in range(len(messages) - 1, max(-1, len(messages) - 1 - MOST_READ), -1):
        if not messages[position].strip():  # an image alone
            continue
        kind = turn(messages[position], is_first=position == 0)
        if kind.needs_documents:
            earlier.insert(0, without_small_talk(messages[position]))
        if kind is Turn.QUESTION or len(earlier) == MOST_PREVIOUS:
            break
    return earlier


def _clauses(message: str) -> list[str]:
    """In lower case, without punctuation and symbols. NFKC would make other characters of Korean letters alone."""
    text = unicodedata.normalize("NFC", _SMILEY.sub(" ", message)).casefold().replace("\u2019", "'")
    clauses = (" ".join(_UNSPOKEN.sub(" ", clause).replace("'", "").split()) for clause in _CLAUSE_END.split(text))
    return [clause for clause in clauses if clause]


def _is_small_talk(clause: str) -> bool:
    return len(clause) <= LONGEST_CLAUSE and (
        korean.is_small_talk(clause) if korean.is_written(clause) else english.is_small_talk(clause)
    )


def _is_about_answer(clause: str) -> bool:
    return len(clause) <= LONGEST_CLAUSE and (
        korean.is_about_answer(clause) if korean.is_written(clause) else english.is_about_answer(clause)
    )


def _is_remark(clause: str) -> bool:
    return korean.is_remark(clause) if korean.is_written(clause) else english.is_remark(clause)


def _continues(clause: str) -> bool:
    return korean.continues(clause) if korean.is_written(clause) else english.continues(clause)


def _asks(message: str) -> bool:
    return len(message) > LONGEST or "?" in message or "\uff1f" in message
