"""Text made of the phrases of a list."""

from collections.abc import Set
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Phrases:
    """`keys` make a text what it is, `fillers` may stand around them. Words of a phrase are separated by a space where
    the language has spaces, and `separator` stands between two phrases."""

    keys: Set[str]
    fillers: Set[str]
    separator: str = ""

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self.keys | self.fillers))

    def cover(self, text: str) -> bool:
        """True if the text consists of phrases, at least one of them a key. The time is linear in the text."""
        # For each position: whether phrases reach it without a key, and with one.
        without, with_key = {0}, set[int]()
        for start in range(len(text)):
            if start not in without and start not in with_key:
                continue
            for end in range(start + 1, min(len(text), start + self._longest) + 1):
                if self.separator and end < len(text) and text[end] != self.separator:
                    continue
                phrase = text[start:end]
                following = end if end == len(text) else end + len(self.separator)
                is_key = phrase in self.keys
                if not is_key and phrase not in self.fillers:
                    continue
                if is_key or start in with_key:
                    with_key.add(following)
                if not is_key and start in without:
                    without.add(following)
        return len(text) in with_key


def listed(text: str) -> frozenset[str]:
    """Phrases divided by commas or line ends."""
    return frozenset(phrase for line in text.splitlines() for part in line.split(",") if (phrase := part.strip()))
