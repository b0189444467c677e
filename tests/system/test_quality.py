"""The demo model through the gateway. The figures and their bars are in docs/benchmarks.md (`make bench-quality`)."""

from collections.abc import Iterator, Mapping

import pytest

from benchmarks import quality
from benchmarks.quality import Clients
from benchmarks.report import Bar
from examples.demo.platform import Platform
from models.demo.corpus import Example


@pytest.fixture(scope="module")
def clients(platform: Platform) -> Iterator[Clients]:
    with quality.clients(platform) as found:
        yield found


def _missed(bars: Mapping[str, Bar]) -> list[str]:
    return [f"{key}: {bar.value}, bar {bar.bar}" for key, bar in bars.items() if not bar.holds]


def test_answers_from_the_context_are_exact_marked_and_withheld_where_it_does_not_say(
    clients: Clients, questions: list[Example]
) -> None:
    assert _missed(quality.with_context(clients, questions)) == []


def test_the_same_questions_are_answered_from_documents_and_not_without_them(
    clients: Clients, questions: list[Example]
) -> None:
    assert _missed(quality.with_documents(clients, questions)) == []


def test_each_adapter_answers_in_its_own_style_and_keeps_the_values(clients: Clients, questions: list[Example]) -> None:
    some = questions[: quality.PER_ADAPTER]
    base = quality.with_context(clients, some)["exact"].value
    assert _missed(quality.adapters(clients, some, base)) == []
