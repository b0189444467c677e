"""The classifiers, made from the example messages beside this file."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Self

from serving.gateway.conversation.classifier import HANGUL, Classifier, words

QUESTION, FOLLOW_UP, SMALL_TALK, ABOUT_ANSWER = ("question", "follow_up", "small_talk", "about_answer")
_ENGLISH, _KOREAN = "en", "ko"


@dataclass(frozen=True)
class Language:
    classifier: Classifier
    subjects: frozenset[str]
    """Words that questions have, and nothing else that users say."""

    @classmethod
    def of(cls, examples: list[tuple[str, str]]) -> Self:
        asked, said = (
            {word for kind, message in examples if (kind in (QUESTION, FOLLOW_UP)) is asks for word in words(message)}
            for asks in (True, False)
        )
        return cls(Classifier.of(examples), frozenset(word for word in asked - said if word.isalpha()))


def language_of(message: str) -> Language:
    return _language(_KOREAN if HANGUL.search(message) else _ENGLISH)


def load() -> None:
    """Takes most of a second, which a first message need not wait for then."""
    for name in (_ENGLISH, _KOREAN):
        _language(name)


@cache
def _language(name: str) -> Language:
    return Language.of(list(_examples(name)))


def _examples(name: str) -> Iterator[tuple[str, str]]:
    for line in files(__package__).joinpath(f"examples.{name}.tsv").read_text("utf-8").splitlines():
        kind, _, message = line.partition("\t")
        yield kind, message
