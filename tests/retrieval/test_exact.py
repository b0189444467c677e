"""Passages with every word of a query, or with its text; the relevance does not decide."""

from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.search import Match, Outcome, SearchRequest
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.exact import plain
from retrieval.scope import Scope
from retrieval.search import Search
from retrieval.store import Store
from tests.retrieval.chunks import stored

TEXTS = (
    "Error E-4711: the grinder is blocked. Clean it.",
    "The grinder of the small machine was cleaned; error codes stand in the manual.",
    "반품하면 환불 금액은 3일 안에 들어옵니다.",
    "Der Preis beträgt 9 Euro im Monat.",
)
Ask = Callable[[str, Match], Awaitable[set[str]]]


@pytest.fixture
def ask(store: Store, embedder: SentenceEncoder, tenant: str) -> Ask:
    scope = Scope(tenant, ("kb",))
    stored(store, embedder, scope, TEXTS)
    search = Search(store, embedder, cached=10, pool=10)

    async def ask(query: str, match: Match) -> set[str]:
        request = SearchRequest(tenant=tenant, knowledge_bases=["kb"], query=query, match=match, min_relevance=1)
        response = await search.answer(request)
        assert (response.outcome is Outcome.EVIDENCE) == bool(response.evidence)
        return {item.text for item in response.evidence}

    return ask


async def test_every_word_must_be_there_in_some_form(ask: Ask) -> None:
    assert await ask("clean the grinder error", Match.WORDS) == set(TEXTS[:2])
    assert await ask("clean grinder coffee", Match.WORDS) == set()
    assert await ask("환불 금액", Match.WORDS) == {TEXTS[2]}


async def test_a_phrase_must_be_there_as_it_stands_but_for_case_and_spaces(ask: Ask) -> None:
    assert await ask("THE  grinder is\nblocked", Match.PHRASE) == {TEXTS[0]}
    assert await ask("grinder error", Match.PHRASE) == set()
    assert await ask("e-4711", Match.PHRASE) == {TEXTS[0]}
    assert await ask("환불 금액은", Match.PHRASE) == {TEXTS[2]}
    assert await ask("preis beträgt \uff19 euro", Match.PHRASE) == {TEXTS[3]}


@given(st.text())
def test_a_plain_text_stays_as_it_is(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    assert plain(f" {text} \n") == plain(text)
