"""A notation for the ways to say something (pure).

    NAME: hello|hi you? there, THANKS friend*

Commas and line ends divide the ways, spaces the items that follow each other. `a|b` is one of both, `a?` may be
missing, `a*` comes any number of times. A name in capitals stands for what is said about it above.
"""

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

_DEFINITION = re.compile(r"^([A-Z_]+):", re.MULTILINE)
_WAY_END = re.compile("[,\n]")
_SPECIAL = re.compile(r"[|?*A-Z]")


@dataclass(frozen=True)
class Reading:
    text: str
    # The ends of repeated patterns, by pattern and starts: many rows begin with the same fillers.
    repeated: dict[tuple[int, frozenset[int]], Set[int]]


class Pattern(Protocol):
    @property
    def first(self) -> frozenset[str]:
        """The characters that it may begin with; the empty one, if it may be empty."""

    def ends(self, read: Reading, starts: Set[int]) -> Set[int]:
        """The positions after the pattern, if it begins at any of `starts`. As a set they are visited once each: the
        time is linear in the text."""


@dataclass(frozen=True)
class _Words:
    words: frozenset[str]
    lengths: tuple[int, ...]

    @cached_property
    def first(self) -> frozenset[str]:
        return frozenset(word[0] for word in self.words)

    def ends(self, read: Reading, starts: Set[int]) -> Set[int]:
        return {
            start + length
            for start in starts
            for length in self.lengths
            if read.text[start : start + length] in self.words
        }


@dataclass(frozen=True)
class _Row:
    items: tuple[Pattern, ...]

    @cached_property
    def first(self) -> frozenset[str]:
        first = frozenset({""})
        for item in self.items:
            if "" in first:
                first = first - {""} | item.first
        return first

    def ends(self, read: Reading, starts: Set[int]) -> Set[int]:
        if "" not in self.first:
            starts = {start for start in starts if read.text[start : start + 1] in self.first}
        for item in self.items:
            if not starts:
                break
            starts = item.ends(read, starts)
        return starts


@dataclass(frozen=True)
class _Either:
    patterns: tuple[Pattern, ...]

    @cached_property
    def first(self) -> frozenset[str]:
        return frozenset().union(*(pattern.first for pattern in self.patterns))

    def ends(self, read: Reading, starts: Set[int]) -> Set[int]:
        follows = {"", *(read.text[start : start + 1] for start in starts)}
        fitting = (pattern for pattern in self.patterns if not pattern.first.isdisjoint(follows))
        return {end for pattern in fitting for end in pattern.ends(read, starts)}


@dataclass(frozen=True)
class _Maybe:
    pattern: Pattern

    @cached_property
    def first(self) -> frozenset[str]:
        return self.pattern.first | {""}

    def ends(self, read: Reading, starts: Set[int]) -> Set[int]:
        return starts | self.pattern.ends(read, starts)


@dataclass(frozen=True)
class _Many:
    pattern: Pattern

    @cached_property
    def first(self) -> frozenset[str]:
        return self.pattern.first | {""}

    def ends(self, read: Reading, starts: Set[int]) -> Set[int]:
        key = id(self.pattern), frozenset(starts)
        if key not in read.repeated:
            read.repeated[key] = self._all_ends(read, starts)
        return read.repeated[key]

    def _all_ends(self, read: Reading, starts: Set[int]) -> Set[int]:
        reached = fresh = starts
        while fresh:
            fresh = self.pattern.ends(read, fresh) - reached
            reached = reached | fresh
        return reached


@dataclass(frozen=True)
class Grammar:
    """`space` follows each word, also the last one of a text."""

    patterns: Mapping[str, Pattern]
    words: Set[str]
    space: str = ""

    def says(self, name: str, text: str) -> bool:
        """True if all of the text is what `name` stands for."""
        spaced = text + self.space
        return len(spaced) in self.patterns[name].ends(Reading(spaced, {}), {0})


def grammar(notation: str, *, space: str) -> Grammar:
    _, *parts = _DEFINITION.split(notation)
    patterns: dict[str, Pattern] = {}
    for name, ways in zip(parts[::2], parts[1::2], strict=True):
        patterns[name] = _either([items for way in _WAY_END.split(ways) if (items := way.split())], patterns, space)
    words = frozenset(re.split(r"[\s,|?*:A-Z_]+", notation)) - {""}
    return Grammar(patterns, words, space)


def _either(ways: list[list[str]], named: Mapping[str, Pattern], space: str) -> Pattern:
    plain = [way for way in ways if not any(map(_SPECIAL.search, way))]
    rows: list[Pattern] = [_row(way, named, space) for way in ways if way not in plain]
    if plain:
        rows.append(_words({"".join(word + space for word in way) for way in plain}))
    return rows[0] if len(rows) == 1 else _Either(tuple(rows))


def _row(items: list[str], named: Mapping[str, Pattern], space: str) -> Pattern:
    return _Row(tuple(_item(item, named, space) for item in items))


def _item(item: str, named: Mapping[str, Pattern], space: str) -> Pattern:
    if item.endswith("?"):
        return _Maybe(_item(item[:-1], named, space))
    if item.endswith("*"):
        return _Many(_item(item[:-1], named, space))
    choices = item.split("|")
    patterns = [named[choice] for choice in choices if choice.isupper()]
    words = {choice + space for choice in choices if not choice.isupper()}
    if words:
        patterns.append(_words(words))
    return patterns[0] if len(patterns) == 1 else _Either(tuple(patterns))


def _words(words: Set[str]) -> _Words:
    return _Words(frozenset(words), tuple(sorted({len(word) for word in words})))
