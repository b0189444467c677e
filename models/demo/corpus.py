"""Synthetic questions about numbered passages: random facts about made-up names, never the same twice.

Names and values are split by a checksum and wordings by two lists, so that held-out text is new in both.
"""

import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from models.demo.wordings import HELD, TRAIN, Wording
from models.demo.words import (
    CODAS,
    COMPANIES,
    HEADS,
    KNOWN_NAMES,
    MODIFIERS,
    MONTHS,
    ONSETS,
    PLACES,
    PRODUCTS,
    TIERS,
    UNITS,
    VOWELS,
)

HEADER = (
    "Answer from these passages only and mark the one you used, like [1]. "
    "If none holds the answer, say that you do not know."
)
UNKNOWN = "I do not know."


@dataclass(frozen=True)
class Example:
    """One question; `answer` and `mark` are None when no passage holds the answer."""

    question: str
    passages: tuple[str, ...]
    answer: str | None
    mark: int | None


@dataclass(frozen=True)
class Attribute:
    phrase: str
    kind: str


@dataclass(frozen=True)
class Fact:
    entity: str
    attribute: Attribute
    value: str


@dataclass(frozen=True)
class Scene:
    """Passages with the facts they hold, and questions with what each asks for."""

    passages: tuple[str, ...]
    facts: tuple[tuple[Fact, int], ...]
    asked: tuple[tuple[Fact, Example], ...]


class Writer:
    """Writes scenes from one side of the split; plain ones hold one bare fact per passage."""

    def __init__(self, rng: random.Random, held: bool, plain: bool = False) -> None:
        self.rng = rng
        self.held = held
        self.plain = plain
        self.wording: Wording = HELD if held else TRAIN

    # Names and values

    def name(self) -> str:
        return self._on_this_side(self._any_name)

    def value(self, kind: str) -> str:
        return self._on_this_side(lambda: VALUES[kind](self))

    def _on_this_side(self, draw: Callable[[], str]) -> str:
        while reserved(text := draw()) != self.held:
            pass
        return text

    def _any_name(self) -> str:
        if self.rng.random() < 0.1:
            return self.rng.choice(KNOWN_NAMES)
        return "".join(self._syllable() for _ in range(self.rng.choice((2, 2, 2, 3)))).capitalize()

    def _syllable(self) -> str:
        coda = self.rng.choice(CODAS) if self.rng.random() < 0.3 else ""
        return self.rng.choice(ONSETS) + self.rng.choice(VOWELS) + coda

    def number(self, most: int = 400) -> int:
        return self.rng.randint(2, self.rng.choice((12, 99, most)))

    # Entities and attributes

    def entities(self, count: int) -> list[str]:
        """`count` different entities; some sets share one name, so that only the rest tells them apart."""
        family = self.name() if self.rng.random() < 0.3 else None
        form = self.rng.choice(FORMS)
        found: set[str] = set()
        while len(found) < count:
            found.add(form(self, family) if family else self.entity())
        return self.rng.sample(sorted(found), count)

    def entity(self) -> str:
        if self.rng.random() < 0.4:
            return self.name()
        return self.rng.choice(FORMS)(self, self.name())

    def attributes(self, count: int) -> list[Attribute]:
        """`count` different attributes; some share the first word or the last."""
        found: dict[str, Attribute] = {}
        modifiers = self.rng.sample(MODIFIERS, count)
        while len(found) < count:
            attribute = self._attribute(self.rng.choice(modifiers))
            found[attribute.phrase] = attribute
        return list(found.values())

    def _attribute(self, modifier: str) -> Attribute:
        kind = self.rng.choice(tuple(HEADS))
        return Attribute(f"{modifier} {self.rng.choice(HEADS[kind])}", kind)

    # Sentences

    def statement(self, fact: Fact) -> str:
        text = self._fill(self.rng.choice(self.wording.facts), fact)
        if self.wording.leads and self.rng.random() < 0.2:
            article = text.startswith(("The ", "It "))
            return f"{self.rng.choice(self.wording.leads)} {text[0].lower() + text[1:] if article else text}"
        return text

    def follow_up(self, fact: Fact) -> str:
        return self._fill(self.rng.choice(self.wording.follow_ups), fact)

    def question(self, fact: Fact) -> str:
        of_kind = self.wording.kind_questions.get(fact.attribute.kind, ())
        templates = of_kind if of_kind and self.rng.random() < 0.25 else self.wording.questions
        text = self._fill(self.rng.choice(templates), fact)
        return self._framed(text) if self.wording.openings and self.rng.random() < 0.4 else text

    def _framed(self, question: str) -> str:
        """With what people write around a question."""
        draw = self.rng.random()
        if draw < 0.4:
            return f"{question.rstrip('?.')}, please{question[-1] if question[-1] in '?.' else ''}"
        if draw < 0.7:
            text = question[0].lower() + question[1:] if self.rng.random() < 0.5 else question
            return f"{self.rng.choice(self.wording.openings)} {text}"
        return f"{question} {self.rng.choice(self.wording.closings)}"

    def _fill(self, template: str, fact: Fact) -> str:
        phrase = fact.attribute.phrase
        article = "an" if phrase[0] in "aeiou" else "a"
        text = template.format(e=fact.entity, a=phrase, an=f"{article} {phrase}", v=fact.value)
        return text if template[0].islower() else text[0].upper() + text[1:]

    def passage(self, facts: list[Fact]) -> str:
        """A paragraph as the gateway sends it: the headings above it, unless its text has them, a colon, its text."""
        draw = self.rng.random()
        if not self.plain and draw < 0.15 and len({fact.entity for fact in facts}) == 1:
            return self._section(facts)
        text = self._paragraph(facts)
        return f"{self._heading(facts[0])}: {text}" if not self.plain and draw < 0.45 else text

    def _section(self, facts: list[Fact]) -> str:
        """What it is about stands in the heading alone."""
        heading = self.rng.choice(self.wording.headings[:1] * 3 + self.wording.headings).format(t=bare(facts[0].entity))
        templates = self.rng.choice((self.wording.rows, self.wording.follow_ups))
        return " ".join([f"{heading}:", *(self._fill(self.rng.choice(templates), fact) for fact in facts)])

    def _heading(self, fact: Fact) -> str:
        topic = self.rng.choice((fact.attribute.phrase, fact.attribute.phrase.split()[0], bare(fact.entity), "general"))
        return self.rng.choice(self.wording.headings).format(t=topic[0].upper() + topic[1:])

    def _paragraph(self, facts: list[Fact]) -> str:
        sentences = [self._sentence(fact, before) for fact, before in zip(facts, [None, *facts], strict=False)]
        if not self.plain and self.rng.random() < 0.3:
            filler = self.rng.choice(self.wording.fillers).format(e=facts[0].entity)
            # In front of the first fact or at the end: a follow-up stays next to its subject.
            sentences.insert(self.rng.choice((0, len(sentences))), filler[0].upper() + filler[1:])
        return " ".join([*self._title(facts[0]), *sentences])

    def _sentence(self, fact: Fact, before: Fact | None) -> str:
        same = before is not None and before.entity == fact.entity
        return self.follow_up(fact) if same and self.rng.random() < 0.2 else self.statement(fact)

    def _title(self, fact: Fact) -> list[str]:
        if self.plain or self.rng.random() < 0.8:
            return []
        topic = self.rng.choice((fact.attribute.phrase.split()[0], fact.entity, "general terms"))
        return [self.rng.choice(self.wording.titles).format(t=topic[0].upper() + topic[1:])]

    # Scenes

    def scene(self, passages: int, questions: int, unknown: float = 0.25) -> Scene:
        """Facts are drawn from a grid of entities and attributes: each has neighbours that share either."""
        sizes = [1 if self.plain else self.rng.choice((1, 1, 1, 2, 2, 3)) for _ in range(passages)]
        entities = self.entities(self.rng.randint(2, 4))
        attributes = self.attributes(max(self.rng.randint(2, 4), -(-sum(sizes) // len(entities))))
        grid = [(entity, attribute) for entity in entities for attribute in attributes]
        self.rng.shuffle(grid)
        facts = [Fact(entity, attribute, self.value(attribute.kind)) for entity, attribute in grid[: sum(sizes)]]
        if self.rng.random() < 0.5:
            facts.sort(key=lambda fact: fact.entity)
        groups = [[facts.pop() for _ in range(size)] for size in sizes]
        self.rng.shuffle(groups)
        texts = tuple(self.passage(group) for group in groups)
        known = [(fact, mark) for mark, group in enumerate(groups, 1) for fact in group]
        return Scene(texts, tuple(known), tuple(self._asked(texts, known, grid[sum(sizes) :], questions, unknown)))

    def _asked(
        self,
        texts: tuple[str, ...],
        known: list[tuple[Fact, int]],
        absent: list[tuple[str, Attribute]],
        count: int,
        unknown: float,
    ) -> Iterator[tuple[Fact, Example]]:
        for _ in range(count):
            if self.rng.random() < unknown:
                fact = self._absent(known, absent)
                yield fact, Example(self.question(fact), texts, None, None)
            else:
                fact, mark = self.rng.choice(known)
                yield fact, Example(self.question(fact), texts, fact.value, mark)

    def _absent(self, known: list[tuple[Fact, int]], absent: list[tuple[str, Attribute]]) -> Fact:
        """What no passage holds: a new mix of entity and attribute, a new entity, or a new attribute."""
        fact, _ = self.rng.choice(known)
        draw = self.rng.random()
        if absent and draw < 0.6:
            return Fact(*self.rng.choice(absent), "")
        if draw < 0.8:
            return Fact(self.entity(), fact.attribute, "")
        return Fact(fact.entity, self.attributes(1)[0], "")

    def unreadable(self, scene: Scene) -> Scene:
        """The scene with questions in a script that the model does not read, and one passage in it, too."""
        last = len(scene.passages)
        passages = (*scene.passages[:-1], self._hangul(self.rng.randint(4, 10)) + ".")
        facts = tuple((fact, mark) for fact, mark in scene.facts if mark != last)
        asked = tuple(
            (fact, Example(self._hangul(self.rng.randint(3, 6)) + "?", passages, None, None)) for fact, _ in scene.asked
        )
        return Scene(passages, facts, asked)

    def _hangul(self, words: int) -> str:
        syllables = range(0xAC00, 0xD7A4)
        return " ".join(
            "".join(map(chr, self.rng.choices(syllables, k=self.rng.randint(1, 4))))
            if self.rng.random() < 0.9
            else str(self.number())
            for _ in range(words)
        )

    def without_passages(self, questions: int) -> Scene:
        facts = [Fact(self.entity(), self.attributes(1)[0], "") for _ in range(questions)]
        return Scene((), (), tuple((fact, Example(self.question(fact), (), None, None)) for fact in facts))


def bare(entity: str) -> str:
    return entity.removeprefix("the ")


def reserved(text: str) -> bool:
    """Whether a name or value belongs to the held-out side."""
    return zlib.crc32(text.encode()) % 5 == 0


Form = Callable[[Writer, str], str]
FORMS: tuple[Form, ...] = (
    lambda w, name: f"{name} {w.rng.choice(TIERS)}",
    lambda w, name: f"the {name} {w.rng.choice(TIERS)} {w.rng.choice(PRODUCTS)}",
    lambda w, name: f"the {name} {w.rng.choice(PRODUCTS)}",
    lambda w, name: f"the {name} {w.number()} {w.rng.choice(PRODUCTS)}",
    lambda w, name: f"{name} {w.number()}",
    lambda w, name: f"{name} {w.rng.choice(COMPANIES)}",
    lambda w, name: f"the {name} {w.rng.choice(PLACES)}",
    lambda w, name: f"{name} {w.name()}",
)


def _amount(w: Writer, kind: str) -> str:
    return f"{w.number()} {w.rng.choice(UNITS[kind])}"


def _money(w: Writer) -> str:
    sign = w.rng.choice("$€£")
    return w.rng.choice((f"{sign}{w.number(5000)}", f"{sign}{w.number()}.{w.rng.randint(10, 99)}", _amount(w, "money")))


def _clock(w: Writer) -> str:
    hour, minute = w.rng.randint(1, 12), w.rng.choice((0, 15, 30, 45, w.rng.randint(0, 59)))
    half = w.rng.choice(("am", "pm"))
    return w.rng.choice((f"{hour} {half}", f"{hour}:{minute:02} {half}", f"{w.rng.randint(0, 23):02}:{minute:02}"))


def _date(w: Writer) -> str:
    day, month, year = w.rng.randint(1, 28), w.rng.choice(MONTHS), w.rng.randint(1990, 2039)
    return w.rng.choice((f"{day} {month}", f"{day} {month} {year}", f"{month} {day}", f"{month} {day}, {year}"))


def _place(w: Writer) -> str:
    return w.rng.choice((w.name(), w.name(), f"Port {w.name()}", f"{w.name()} Street {w.number()}"))


def _code(w: Writer) -> str:
    letters = "".join(w.rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=2))
    digits = w.rng.randint(100, 9999)
    return w.rng.choice((f"{letters}-{digits}", f"{letters[0]}{digits}", f"{digits}-{letters[0]}", f"{digits}"))


def _percent(w: Writer) -> str:
    return w.rng.choice((f"{w.number(99)}%", f"{w.number(99)} percent", f"{w.number(9)}.{w.rng.randint(1, 9)}%"))


VALUES: dict[str, Callable[[Writer], str]] = {
    "duration": lambda w: _amount(w, "duration"),
    "money": _money,
    "size": lambda w: _amount(w, "size"),
    "clock": _clock,
    "date": _date,
    "place": _place,
    "person": lambda w: f"{w.name()} {w.name()}",
    "code": _code,
    "percent": _percent,
    "measure": lambda w: _amount(w, "measure"),
}


def grounding(passages: tuple[str, ...]) -> str:
    """The system message that carries the passages."""
    lines = [f"[{mark}] {' '.join(text.split())}" for mark, text in enumerate(passages, 1)]
    return "\n".join([HEADER, "", *lines])


def training_examples(rng: random.Random) -> Iterator[Example]:
    """Examples without end, one question each."""
    writer = Writer(rng, held=False)
    while True:
        yield writer.scene(passages=rng.randint(1, 4), questions=1).asked[0][1]


def held_out(count: int, seed: int, passages: int | None = None) -> list[Example]:
    """`count` questions in wordings, names and values that training never saw; 1 to 4 passages unless told."""
    rng = random.Random(seed)
    writer = Writer(rng, held=True)
    return [writer.scene(passages or rng.randint(1, 4), questions=1).asked[0][1] for _ in range(count)]
