"""Training batches: one context, then many questions about it, with a loss on every answer."""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from models.demo.chat import ASSISTANT, END, SYSTEM, USER
from models.demo.corpus import Example, Fact, Scene, Writer, bare, grounding

Render = Callable[[Example], str]
# Few tokens of a passage or a question can be foretold: a sample of them is enough, and saves their logits.
TEXT_WEIGHT, TEXT_SHARE = 0.1, 0.25
# A share of the answers begins in the middle of a phrase or of JSON, so that adapters and schemas find a model that
# copies wherever a value is due; a smaller one repeats what was asked about, as the arguments of a tool call do.
FRAMED, ECHOED = 0.25, 0.06
FRAMES = (
    "The answer is {}.", "According to the records, it is {}.", "It is {}.", "Thanks for asking: {}.", "Answer: {}",
    "* {}", "- {}", "> {}", "I found {}.", "As far as we know, it is {}.", "Réponse : {}.", "C'est {}.", "Es ist {}.",
    "La respuesta es {}.", "Die Antwort lautet {}.", "Of course, it is {}.", "Here you are: {}", "{} is the answer.",
    '{"answer": "{}"}', '{"value": "{}"}', '{"result": "{}"}', '{"text": "{}"}', '["{}"]',
    '{"answer":"{}"}', '{"value":"{}"}', '{"result":"{}"}', '{"text":"{}"}', '{"reply":"{}"}',
)  # fmt: skip
ENTITY_KEYS = ("product", "item", "name", "entity", "subject", "customer")
ATTRIBUTE_KEYS = ("attribute", "field", "topic", "property", "detail")
TOOL_NAMES = ("look_up", "get_fact", "find", "search", "lookup_fact", "query", "fetch", "get")
PREAMBLES = ("You are a helpful assistant.", "You are the assistant of {e}.", "You answer customers of {e}. Be brief.")


class Head(IntEnum):
    """The attention heads that are shown where to look."""

    ATTRIBUTE = 0
    ENTITY = 1
    MARK = 2
    VALUE = 3
    PASSAGE = 4


class Link(NamedTuple):
    """One head at token `query` is to look at the tokens from `start` up to `stop`."""

    head: Head
    query: int
    start: int
    stop: int


@dataclass(frozen=True)
class Reply:
    """An answer whose first words, `lead`, are given and not to be learnt."""

    lead: str
    text: str
    links: bool = True


@dataclass(frozen=True)
class Sequence:
    """Token ids with each one's position, its branch (0 is the context) and the weight of predicting it."""

    ids: list[int]
    positions: list[int]
    branches: list[int]
    weights: list[float]
    links: list[Link]


@dataclass(frozen=True)
class Batch:
    ids: torch.Tensor
    positions: torch.Tensor
    mask: torch.Tensor
    weights: torch.Tensor
    links: torch.Tensor


class Encoder:
    """Turns scenes into sequences.

    A branch sees the context and itself, at the positions it has in a chat of its own: many questions share the
    work of one context, and none can tell that there are others. Some scenes become one long chat instead.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerFast, render: Render, rng: random.Random, framed: bool = False
    ) -> None:
        self.tokenizer = tokenizer.backend_tokenizer
        self.render = render
        self.rng = rng
        self.framed = framed

    def sequence(self, scene: Scene, chained: bool) -> Sequence:
        context = Text(self.tokenizer, self._system(scene))
        size = len(context.ids)
        found = Sequence(list(context.ids), list(range(size)), [0] * size, self._text_weights(size), [])
        values = {fact: self._fact_links(found, context, fact, mark) for fact, mark in scene.facts}
        for branch, (fact, example) in enumerate(scene.asked, 1):
            start = len(found.ids) if chained else size
            reply = self._reply(fact, example)
            answer, question = self._append(found, example, reply, 0 if chained else branch, start)
            if reply.links:
                value = values.get(fact, range(0)) if example.answer else range(0)
                self._answer_links(found, fact, example, answer, question, value)
        return found

    def _reply(self, fact: Fact, example: Example) -> "Reply":
        draw = self.rng.random() if self.framed else 1.0
        if draw < ECHOED and bare(fact.entity) in example.question and fact.attribute.phrase in example.question:
            return self._echo(fact)
        if draw < ECHOED + FRAMED and example.answer is not None:
            lead, end = self.rng.choice(FRAMES).split("{}")
            return Reply(lead, f"{self.render(example)}{end}")
        return Reply("", self.render(example))

    def _echo(self, fact: Fact) -> "Reply":
        """The arguments of a call: what was asked about. An engine that is bound to a schema leaves the names to it."""
        keys = self.rng.choice(ENTITY_KEYS), self.rng.choice(ATTRIBUTE_KEYS)
        values = bare(fact.entity), fact.attribute.phrase
        pairs = [f'"{key}": "{value}"' for key, value in zip(keys, values, strict=True)]
        arguments = ", ".join(self.rng.choice((pairs, pairs, pairs[:1], pairs[1:])))
        if self.rng.random() < 0.25:
            return Reply("{", f"{arguments}}}", links=False)
        lead = f'<tool_call>\n{{"name": "{self.rng.choice(TOOL_NAMES)}", "arguments": {{'
        return Reply(lead, f"{arguments}}}}}\n</tool_call>", links=False)

    def _append(self, found: Sequence, example: Example, reply: "Reply", branch: int, start: int) -> tuple[int, int]:
        """Adds a question and its answer; returns where the answer starts, and where the question does."""
        question = self.tokenizer.encode(f"{USER}{example.question}{END}{ASSISTANT}").ids
        lead = self.tokenizer.encode(reply.lead).ids if reply.lead else []
        answer = self.tokenizer.encode(reply.text + END).ids
        size = len(question) + len(lead) + len(answer)
        found.ids.extend(question + lead + answer)
        found.positions.extend(range(start, start + size))
        found.branches.extend([branch] * size)
        # What follows a branch is another's start: nothing to learn from the step between them.
        unlearnt = [0.0] * len(lead)
        found.weights.extend([0.0] + self._text_weights(len(question) - 1) + unlearnt + [1.0] * len(answer))
        return len(found.ids) - len(answer), len(found.ids) - size

    def _fact_links(self, found: Sequence, context: "Text", fact: Fact, mark: int) -> range:
        """Ties the tokens of a value to its attribute, its entity and its passage's mark; returns those tokens."""
        line = context.text.index(f"\n[{mark}] ")
        value = re.compile(rf"(?<!\w){re.escape(fact.value)}(?!\w)").search(context.text, line)
        if value is None:
            return range(0)
        tokens = context.tokens(value.start(), value.end())
        spans = {
            Head.ATTRIBUTE: context.last(fact.attribute.phrase, line, value.start()),
            Head.ENTITY: context.last(bare(fact.entity), line, value.start()),
            Head.MARK: context.tokens(line + len("\n["), line + len("\n[") + 1),
        }
        found.links.extend(Link(head, at, to.start, to.stop) for head, to in spans.items() if to for at in tokens)
        return tokens

    def _answer_links(
        self, found: Sequence, fact: Fact, example: Example, answer: int, asked: int, value: range
    ) -> None:
        """Ties each step of an answer to what was asked and to the token to copy; a refusal to the very start."""
        question = Text(self.tokenizer, example.question)
        first = asked + 1
        steps = range(answer - 1, answer - 1 + max(1, len(value)))
        # After the value come a space and the bracket that the mark follows.
        bracket = [answer + len(value) + 1] if value else []
        for head, phrase in ((Head.ATTRIBUTE, fact.attribute.phrase), (Head.ENTITY, bare(fact.entity))):
            span = question.last(phrase, 0, len(question.text))
            found.links.extend(
                Link(head, at, first + span.start, first + span.stop) for at in (*steps, *bracket) if span
            )
        if example.answer is None and example.passages:
            found.links.append(Link(Head.VALUE, answer - 1, 0, 1))
        found.links.extend(Link(Head.VALUE, at, to, to + 1) for at, to in zip(steps, value, strict=False))
        found.links.extend(Link(Head.PASSAGE, at, value.start, value.stop) for at in bracket)

    def _text_weights(self, count: int) -> list[float]:
        return [TEXT_WEIGHT * (self.rng.random() < TEXT_SHARE) for _ in range(count)]

    def _system(self, scene: Scene) -> str:
        parts = [grounding(scene.passages)] if scene.passages else []
        if self.rng.random() < 0.1:
            name = Writer(self.rng, held=False).name()
            parts.insert(0, self.rng.choice(PREAMBLES).format(e=name))
        return SYSTEM + "\n\n".join(parts) + END if parts else ""


class Text:
    """A text with its tokens, to find which tokens a phrase became."""

    def __init__(self, tokenizer: Tokenizer, text: str) -> None:
        encoding = tokenizer.encode(text)
        self.text = text
        self.lower = text.lower()
        self.ids: list[int] = encoding.ids
        self.offsets: list[tuple[int, int]] = encoding.offsets

    def last(self, phrase: str, start: int, stop: int) -> range:
        found = self.lower.rfind(phrase.lower(), start, stop)
        return self.tokens(found, found + len(phrase)) if found >= 0 else range(0)

    def tokens(self, start: int, stop: int) -> range:
        inside = [place for place, (first, end) in enumerate(self.offsets) if first < stop and end > start]
        return range(inside[0], inside[-1] + 1)


def collate(sequences: list[Sequence], pad: int) -> Batch:
    width = max(len(one.ids) for one in sequences)
    branches = torch.tensor([_padded(one.branches, width, -1) for one in sequences])
    own = branches[:, :, None] == branches[:, None, :]
    causal = torch.ones(width, width, dtype=torch.bool).tril()
    return Batch(
        ids=torch.tensor([_padded(one.ids, width, pad) for one in sequences]),
        positions=torch.tensor([_padded(one.positions, width, 0) for one in sequences]),
        mask=(causal & (own | (branches == 0)[:, None, :]))[:, None],
        weights=torch.tensor([_padded(one.weights, width, 0.0) for one in sequences]),
        links=torch.tensor([(row, *link) for row, one in enumerate(sequences) for link in one.links]),
    )


def _padded(values: list[int] | list[float], width: int, fill: float) -> list[int | float]:
    return [*values, *[fill] * (width - len(values))]


def scenes(writer: Writer, most_passages: int, questions: int) -> Iterator[Scene]:
    rng = writer.rng
    while True:
        if rng.random() < 0.02:
            yield writer.without_passages(questions)
        else:
            # The more passages, the harder: the largest number is drawn about half of the time.
            passages = max(rng.randint(1, most_passages), rng.randint(1, most_passages))
            scene = writer.scene(passages, questions)
            yield writer.unreadable(scene) if rng.random() < 0.03 else scene


def batches(stream: Iterator[Sequence], pad: int, size: int, pool: int = 8) -> Iterator[Batch]:
    """Batches of sequences of about the same length, so that little is padding."""
    while True:
        drawn = sorted((next(stream) for _ in range(size * pool)), key=lambda one: len(one.ids))
        groups = [drawn[start : start + size] for start in range(0, len(drawn), size)]
        random.Random(len(drawn[0].ids)).shuffle(groups)
        for group in groups:
            yield collate(group, pad)
