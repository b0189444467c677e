"""Other wordings of training rows: questions with typing errors, and in templates (pure).

Answers stay as they are, and so do words of a question that carry the answer: numbers, and words that the answer has
(https://arxiv.org/abs/2506.19262: moderate changes help where labels are few).
"""

import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from contract.fine_tune import QUESTION, Augmentation
from tuning.duplicates import normal
from tuning.row import Message, Row

_NEIGHBOURS = {key: row[max(0, at - 1) : at] + row[at + 1 : at + 2] for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
               for at, key in enumerate(row)}  # fmt: skip
_PARTICLE = re.compile(r"(?<=[가-힣])(은|는|이|가|을|를|의|에|도)$")
_SHORTEST = 4  # letters of a word with a typing error
# https://www.unicode.org/versions/Unicode16.0.0/core-spec/chapter-3/#G24646
_HANGUL, _FINALS = 0xAC00, 28


def outcome(result: Mapping[str, Any]) -> str:
    """In words, from the result of `tuning.trainer.augment` as JSON."""
    gain = result["gain"]
    verdict = "helped" if result["is_better"] else "did not help, and are left out"
    return f"other wordings {verdict}: {gain['low']:+.3f} to {gain['high']:+.3f} nats a token on rows that neither saw"


def augmented(rows: Sequence[Row], held_out: Sequence[Row], how: Augmentation, seed: int) -> list[Row]:
    """Further rows to learn from. None has a question of `held_out`: its rows judge the result."""
    taken = {normal(row.question) for row in (*rows, *held_out)}
    chance = random.Random(seed)  # noqa: S311  # nobody gains by guessing it
    added = []
    for row in (row for row in rows for _ in range(how.copies)):
        copy = _with_question(row, partial(_worded, answer=row.answer, how=how, chance=chance))
        if normal(copy.question) not in taken:
            taken.add(normal(copy.question))
            added.append(copy)
    return added


def _with_question(row: Row, change: Callable[[str], str]) -> Row:
    """The last turn of the user is changed."""
    last = row.prompt[-1]
    return replace(row, prompt=(*row.prompt[:-1], Message(last.role, change(last.content))))


def _worded(question: str, answer: str, how: Augmentation, chance: random.Random) -> str:
    noisy = "".join(_noisy(part, answer, how.noise, chance) for part in re.split(r"(\s+)", question))
    template = chance.choice((QUESTION, *how.templates))
    return template.replace(QUESTION, noisy)


def _noisy(word: str, answer: str, noise: float, chance: random.Random) -> str:
    carries_answer = any(letter.isdigit() for letter in word) or normal(word.strip(".,?!")) in normal(answer)
    if not word.strip() or carries_answer or chance.random() >= noise:
        return word
    changes = list(_changes(word))
    return chance.choice(changes)(word, chance) if changes else word


Change = Callable[[str, random.Random], str]


def _changes(word: str) -> Iterator[Change]:
    """People's errors in such a word."""
    if any("가" <= letter <= "힣" for letter in word):
        yield _without_final
        if _PARTICLE.search(word):
            yield _without_particle
        return
    if _without_accents(word) != word:
        yield lambda text, _: _without_accents(text)
    if sum(map(str.isalpha, word)) >= _SHORTEST:
        yield from (_swapped, _dropped, _doubled, _neighboured)


def _without_accents(text: str) -> str:
    return "".join(part for part in unicodedata.normalize("NFD", text) if not unicodedata.combining(part))


def _swapped(word: str, chance: random.Random) -> str:
    at = chance.randrange(len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _dropped(word: str, chance: random.Random) -> str:
    at = chance.randrange(1, len(word))
    return word[:at] + word[at + 1 :]


def _doubled(word: str, chance: random.Random) -> str:
    at = chance.randrange(len(word))
    return word[: at + 1] + word[at:]


def _neighboured(word: str, chance: random.Random) -> str:
    """One letter is the one beside it on a keyboard."""
    places = [at for at, letter in enumerate(word) if letter in _NEIGHBOURS]
    if not places:
        return _doubled(word, chance)
    at = chance.choice(places)
    return word[:at] + chance.choice(_NEIGHBOURS[word[at]]) + word[at + 1 :]


def _without_particle(word: str, _: random.Random) -> str:
    return _PARTICLE.sub("", word)


def _without_final(word: str, chance: random.Random) -> str:
    """One syllable loses its last consonant."""
    places = [at for at, letter in enumerate(word) if "가" <= letter <= "힣" and (ord(letter) - _HANGUL) % _FINALS]
    if not places:
        return word
    at = chance.choice(places)
    code = ord(word[at]) - _HANGUL
    return word[:at] + chr(_HANGUL + code - code % _FINALS) + word[at + 1 :]
