"""What the demo model answers, through the gateway, to questions in wordings and with names it never saw."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest

from models.demo.corpus import Example, grounding
from models.demo.styles import ADAPTERS, BASE, Style

CALLERS = 8
PER_ADAPTER = 120


def _ask(
    client: openai.OpenAI, model: str, example: Example, *, context: bool, knowledge_base: str | None = None
) -> str:
    system: list[Any] = [{"role": "system", "content": grounding(example.passages)}] if context else []
    retrieval: dict[str, Any] = {"knowledge_bases": [knowledge_base]} if knowledge_base else {"grounded": False}
    answer = client.chat.completions.create(
        model=model,
        messages=[*system, {"role": "user", "content": example.question}],
        max_tokens=48,
        temperature=0,
        extra_body={"retrieval": retrieval},
    )
    return answer.choices[0].message.content or ""


def _all(examples: Sequence[Example], ask: Callable[[Example], str]) -> list[str]:
    with ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(ask, examples))


def _share(found: Sequence[bool]) -> float:
    return round(sum(found) / len(found), 3)


def _exact(style: Style, text: str, example: Example) -> bool:
    parsed = style.parse(text)
    return parsed is not None and parsed[0] == example.answer


def _split(questions: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    return [q for q in questions if q.answer is not None], [q for q in questions if q.answer is None]


@pytest.mark.timeout(300)
def test_answers_from_the_context_are_exact_marked_and_withheld_where_it_does_not_say(
    acme: openai.OpenAI, questions: list[Example]
) -> None:
    answerable, unanswerable = _split(questions)
    texts = _all(answerable, lambda q: _ask(acme, "quiver-demo", q, context=True))
    withheld = _all(unanswerable, lambda q: _ask(acme, "quiver-demo", q, context=True))
    exact = _share([_exact(BASE, text, q) for text, q in zip(texts, answerable, strict=True)])
    marked = _share([f"[{q.mark}]" in text for text, q in zip(texts, answerable, strict=True)])
    abstained = _share([text == BASE.unknown for text in withheld])
    print(f"{len(questions)} questions: exact {exact}, marked {marked}, abstained {abstained}")  # noqa: T201
    assert exact >= 0.80
    assert marked >= 0.80
    assert abstained >= 0.90


@pytest.mark.timeout(300)
def test_the_same_questions_are_answered_from_documents_and_not_without_them(
    acme: openai.OpenAI, questions: list[Example]
) -> None:
    answerable, _ = _split(questions)
    found = _all(answerable, lambda q: _ask(acme, "quiver-demo", q, context=False, knowledge_base="facts"))
    alone = _all(answerable, lambda q: _ask(acme, "quiver-demo", q, context=False))
    exact = _share([_exact(BASE, text, q) for text, q in zip(found, answerable, strict=True)])
    guessed = _share([q.answer is not None and q.answer in text for text, q in zip(alone, answerable, strict=True)])
    print(f"{len(answerable)} questions: exact with documents {exact}, without {guessed}")  # noqa: T201
    assert exact >= 0.75
    assert guessed <= 0.02


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["acme-support-v1", "acme-api-v1", "globex-desk-v1", "globex-brief-v1"])
def test_each_adapter_answers_in_its_own_style(
    acme: openai.OpenAI, globex: openai.OpenAI, questions: list[Example], name: str
) -> None:
    tenant, model, _ = name.split("-")
    client = acme if tenant == "acme" else globex
    texts = _all(questions[:PER_ADAPTER], lambda q: _ask(client, model, q, context=True))
    others = [style for other, style in ADAPTERS.items() if other != name]
    styled = _share([ADAPTERS[name].check(text) for text in texts])
    print(f"{name}: own style {styled}")  # noqa: T201
    assert styled >= 0.95
    assert _share([any(other.check(text) for other in others) for text in texts]) <= 0.05
