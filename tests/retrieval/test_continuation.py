"""A message that finds nothing by itself goes on about the document of the answer before it."""

from collections.abc import Awaitable, Callable

import pytest

from contract.filters import MOST_DEPTH, Equality
from contract.search import Outcome, SearchRequest, SearchResponse
from retrieval.continuation import may_continue
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.scope import Scope
from retrieval.search import Search
from retrieval.store import Store
from tests.retrieval.chunks import stored

WARRANTY = "Every device has a warranty of 24 months from the date of purchase. Damage by a fall is not covered."
PARCEL = "A parcel that nobody takes is kept at the post office for seven days."
KOREAN = "출고된 주문은 2일 안에 도착합니다. 평일 오후 2시까지 결제한 주문은 당일 출고합니다."


Ask = Callable[..., Awaitable[SearchResponse]]


@pytest.fixture(scope="module")
def scope(store: Store, embedder: SentenceEncoder) -> Scope:
    scope = Scope("continuation", ("kb",))
    stored(store, embedder, scope, [WARRANTY, PARCEL, KOREAN])
    return scope


@pytest.fixture
def ask(store: Store, embedder: SentenceEncoder, scope: Scope) -> Ask:
    search = Search(store, embedder, cached=10, pool=10)

    async def ask(query: str, **more: object) -> SearchResponse:
        body = {"tenant": scope.tenant, "knowledge_bases": list(scope.knowledge_bases), "query": query, **more}
        return await search.answer(SearchRequest.model_validate(body))

    return ask


@pytest.mark.parametrize(
    ("message", "answered", "passage"),
    [
        ("Even if I dropped it?", "Every device has a warranty of 24 months from purchase.", WARRANTY),
        ("How quickly?", "Nobody takes the parcel: it is kept at the post office.", PARCEL),
        ("그럼 언제쯤 받아볼 수 있을까요?", "평일 오후 2시까지 결제한 주문은 당일 출고합니다.", KOREAN),
    ],
)
async def test_the_document_of_the_answer_before_is_the_evidence(
    ask: Ask, message: str, answered: str, passage: str
) -> None:
    alone = await ask(message)
    assert alone.outcome in (Outcome.NO_HITS, Outcome.BELOW_GATE)
    found = await ask(message, answered=answered, earlier=["What about it?"])
    assert (found.outcome, [item.text for item in found.evidence]) == (Outcome.CONTINUED, [passage])


async def test_an_answer_that_is_from_no_document_is_not_gone_on_about(ask: Ask) -> None:
    found = await ask("How quickly?", answered="The capital of Australia is Canberra.", earlier=["Where?"])
    assert found.outcome in (Outcome.NO_HITS, Outcome.BELOW_GATE)


async def test_a_message_with_an_answer_of_its_own_stays_with_it(ask: Ask) -> None:
    found = await ask("How long is a parcel kept at the post office?", answered=WARRANTY)
    assert (found.outcome, found.evidence[0].text) == (Outcome.EVIDENCE, PARCEL)


async def test_a_filter_holds_for_the_document_too(ask: Ask) -> None:
    other = Equality(type="eq", key="filename", value="1.txt")
    found = await ask("How quickly?", answered=WARRANTY, earlier=["What?"], filter=other.model_dump())
    assert found.outcome in (Outcome.NO_HITS, Outcome.BELOW_GATE)


async def test_a_filter_of_the_allowed_depth_is_no_fault(ask: Ask) -> None:
    deep: dict[str, object] = {"type": "eq", "key": "filename", "value": "0.txt"}
    for _level in range(MOST_DEPTH - 1):
        deep = {"type": "and", "filters": [deep]}
    found = await ask("How quickly?", answered=WARRANTY, earlier=["What?"], filter=deep)
    assert found.outcome is Outcome.CONTINUED


async def test_an_explanation_has_the_refused_hits_too(ask: Ask) -> None:
    message = "Even if the parcel was dropped?"
    refused = await ask(message, explain=True, min_relevance=0.9)
    found = await ask(message, answered=WARRANTY, explain=True, min_relevance=0.9)
    assert refused.outcome is Outcome.BELOW_GATE
    assert found.outcome is Outcome.CONTINUED
    assert {item.text for item in refused.considered} <= {item.text for item in found.considered}


@pytest.mark.parametrize(
    ("terms", "continues"),
    [
        ([], True),
        (["new", "new2"], True),
        (["new", "new2", "new3"], False),
        (["new", "new2", "new3", "parcel", "post", "office"], True),
    ],
)
def test_a_message_of_unknown_words_is_about_something_else(terms: list[str], continues: bool) -> None:
    assert may_continue(terms, {"parcel", "post", "office"}) is continues
