"""The kinds of a conversation's last message."""

import re
from collections.abc import Sequence
from enum import StrEnum

from serving.gateway.conversation.classifier import words
from serving.gateway.conversation.examples import ABOUT_ANSWER, FOLLOW_UP, QUESTION, SMALL_TALK, language_of

# Characters, messages: the event loop waits while a conversation is read. A longer message is a question.
LONGEST_READ = 200
MOST_READ = 4
LONGEST_BEFORE = 2000  # of each message before
MOST_PREVIOUS = 2  # questions before a follow-up that are searched for with it
# By how much a message must be likelier to be of another kind than a question (natural logarithm).
_LEAST_ODDS = 1.0
# A question that is taken for a follow-up may be answered from another document than its own.
_LEAST_ODDS_OF_FOLLOW_UP = 3.0

_PART = re.compile(r".+?(?:[.!?,;:~\u2026\u3002\uff01\uff1f]+(?=\s|$)|\n|$)\s*", re.DOTALL)
_MARK = re.compile(r"\s?\[\d{1,2}\]")
_SIGNS = re.compile(r"(?=.*\S)[^\w?\uff1f]+|[\u3131-\u318e\s~^.!,]*[\u3131-\u318e][\u3131-\u318e\s~^.!,]*")


class Turn(StrEnum):
    QUESTION = QUESTION
    FOLLOW_UP = FOLLOW_UP
    SMALL_TALK = SMALL_TALK
    """Greetings, thanks, remarks: whatever asks the documents nothing."""
    ABOUT_ANSWER = ABOUT_ANSWER

    @property
    def needs_documents(self) -> bool:
        return self in (Turn.QUESTION, Turn.FOLLOW_UP)


def turn(message: str, before: Sequence[str]) -> Turn:
    """`before` are the questions and answers before the message: only after one can it be a follow-up, or about it."""
    if len(message) > LONGEST_READ:
        return Turn.QUESTION
    core = without_small_talk(message)
    if not before:
        return Turn.SMALL_TALK if _is_small_talk(core) else Turn.QUESTION
    kind = Turn.SMALL_TALK if _is_small_talk(core) else _likeliest(language_of(core).classifier.scores(core))
    if kind is Turn.ABOUT_ANSWER and _names_another_subject(core, before):
        return Turn.QUESTION
    return kind


def without_small_talk(message: str) -> str:
    """The message without greetings and thanks around it; all of it if it is nothing else."""
    if len(message) > LONGEST_READ:
        return message
    parts = _PART.findall(message)
    asks = [not _is_small_talk(part) for part in parts]
    if not any(asks):
        return message
    return "".join(parts[asks.index(True) : len(asks) - asks[::-1].index(True)]).strip()


def without_marks(answer: str) -> str:
    """The answer without the marks of its passages."""
    return _MARK.sub("", answer).strip()


def previous_questions(messages: Sequence[str]) -> list[str]:
    """The questions before a follow-up, oldest first, back to the last self-contained one."""
    earlier: list[str] = []
    for position in range(len(messages) - 1, max(-1, len(messages) - 1 - MOST_READ), -1):
        if not messages[position].strip():  # an image alone
            continue
        kind = turn(messages[position], messages[:position][-MOST_READ:])
        if kind.needs_documents:
            earlier.insert(0, without_small_talk(messages[position]))
        if kind is Turn.QUESTION or len(earlier) == MOST_PREVIOUS:
            break
    return earlier


def _likeliest(scores: dict[str, float]) -> Turn:
    says = max(SMALL_TALK, ABOUT_ANSWER, key=lambda kind: scores[kind])
    if scores[says] > max(scores[QUESTION], scores[FOLLOW_UP]) + _LEAST_ODDS:
        return Turn(says)
    return Turn.FOLLOW_UP if scores[FOLLOW_UP] > scores[QUESTION] + _LEAST_ODDS_OF_FOLLOW_UP else Turn.QUESTION


def _names_another_subject(message: str, before: Sequence[str]) -> bool:
    """True for "Explain the warranty again" where nobody has mentioned a warranty."""
    subjects = language_of(message).subjects.intersection(words(message))
    read = (text[-LONGEST_BEFORE:] for text in before[-MOST_READ:]) if subjects else ()
    return not subjects <= {word for text in read for word in words(text)}


def _is_small_talk(part: str) -> bool:
    if _SIGNS.fullmatch(part):  # signs alone, such as a thumb; a question mark asks
        return True
    scores = language_of(part).classifier.scores(part)
    return scores[SMALL_TALK] > max(scores[kind] for kind in (QUESTION, FOLLOW_UP, ABOUT_ANSWER)) + _LEAST_ODDS
