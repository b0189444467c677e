"""What is searched, and when an answer without documents would go unannounced."""

from typing import Any, cast

import pytest

from contract.knowledge_base import KnowledgeBaseSpec
from contract.search import Match, SearchRequest, SearchResponse
from contract.tenant import Limits
from serving.gateway.catalog import Base, Target, TenantEntry
from serving.gateway.errors import ApiError
from serving.gateway.evidence import MAX_QUESTION, Query, fitting, query, search
from serving.gateway.retrieval_client import Retrieval, RetrievalError
from serving.gateway.schemas import ChatRequest, CompletionRequest, parse
from tests.serving.gateway.passages import evidence

PLAIN = Target("acme", "plain", "base", "base")
GROUNDED = Target("acme", "support", "base", "acme.support.1", knowledge_bases=("handbook", "gone"))


def _spec(**fields: Any) -> KnowledgeBaseSpec:
    return KnowledgeBaseSpec.model_validate({"sources": [{"path": "/docs"}], **fields})


BASES = {"handbook": _spec(), "prices": _spec(topK=7, minRelevance=0.7)}
TENANT = TenantEntry("acme", Limits(), {}, BASES)
BASE = Base("base", 1000, ())


def _chat(**more: Any) -> ChatRequest:
    found = parse({"model": "m", "messages": [{"role": "user", "content": " how much? "}], **more}, ChatRequest)
    assert isinstance(found, ChatRequest)
    return found


@pytest.mark.parametrize(
    ("target", "retrieval", "expected"),
    [
        (PLAIN, None, None),
        (PLAIN, {"grounded": False}, None),
        (GROUNDED, {"grounded": False}, None),
        (GROUNDED, None, Query(("handbook",), "how much?", 4)),
        (GROUNDED, {"grounded": True}, Query(("handbook",), "how much?", 4)),
        (GROUNDED, {"explain": True}, Query(("handbook",), "how much?", 4, explain=True)),
        (GROUNDED, {"match": "phrase"}, Query(("handbook",), "how much?", 4, match=Match.PHRASE)),
        (GROUNDED, {"min_relevance": 0.1}, Query(("handbook",), "how much?", 4, 0.1)),
        (GROUNDED, {"knowledge_bases": ["prices"]}, Query(("prices",), "how much?", 7, 0.7)),
        (GROUNDED, {"knowledge_bases": None, "top_k": 2}, Query(("handbook",), "how much?", 2)),
        (PLAIN, {"knowledge_bases": ["handbook", "prices"]}, Query(("handbook", "prices"), "how much?", 7, 0.7)),
    ],
)
def test_the_requests_knowledge_bases_are_searched_or_else_the_adapters(
    target: Target, retrieval: Any, expected: Query | None
) -> None:
    assert query(_chat(retrieval=retrieval), target, TENANT) == expected


@pytest.mark.parametrize(
    ("retrieval", "code"),
    [
        ({"grounded": True}, "no_knowledge_base"),
        ({"top_k": 5}, "no_knowledge_base"),
        ({"knowledge_bases": ["manuals"]}, "knowledge_base_not_found"),
    ],
)
def test_who_asks_for_documents_where_there_are_none_is_told(retrieval: Any, code: str) -> None:
    with pytest.raises(ApiError) as caught:
        query(_chat(retrieval=retrieval), PLAIN, TENANT)
    assert caught.value.code == code


def _after(*messages: str) -> ChatRequest:
    said = [
        {"role": role, "content": content}
        for text in messages[:-1]
        for role, content in (("user", text), ("assistant", "As follows."))
    ]
    found = parse({"model": "m", "messages": [*said, {"role": "user", "content": messages[-1]}]}, ChatRequest)
    assert isinstance(found, ChatRequest)
    return found


def test_a_follow_up_takes_the_question_before_along() -> None:
    found = query(_after("How much is delivery?", "And express?"), GROUNDED, TENANT)
    assert found is not None
    assert (found.text, found.earlier, found.may_be_conversation) == ("And express?", ("How much is delivery?",), False)


def test_a_message_before_a_follow_up_may_be_empty() -> None:
    found = query(_after("How much is delivery?", "", "And express?"), GROUNDED, TENANT)
    assert found is not None
    assert found.earlier == ("How much is delivery?",)


@pytest.mark.parametrize(
    ("messages", "may_be_conversation"),
    [
        (("Thank you!",), True),
        (("How much is delivery?", "Why?"), True),
        (("Why?",), False),
        (("How much is delivery?", "I will try that then."), True),
        (("I forgot my VPN password",), False),
        (("How much is delivery?", "And express?"), False),
    ],
)
def test_the_model_answers_small_talk_and_remarks_on_an_answer_where_nothing_is_found(
    messages: tuple[str, ...], may_be_conversation: bool
) -> None:
    found = query(_after(*messages), GROUNDED, TENANT)
    strict = query(_after(*messages), GROUNDED, TenantEntry("acme", Limits(), {}, {"handbook": _spec(strict=True)}))
    assert found is not None
    assert strict is not None
    assert (found.may_be_conversation, strict.may_be_conversation) == (may_be_conversation, False)


def test_a_question_is_needed_and_of_a_long_one_the_end_is_searched_for() -> None:
    with pytest.raises(ApiError) as caught:
        query(_chat(messages=[{"role": "system", "content": "x"}]), GROUNDED, TENANT)
    assert caught.value.code == "no_question"
    found = query(_chat(messages=[{"role": "user", "content": "a" * 9000 + "b"}]), GROUNDED, TENANT)
    assert found is not None
    assert (len(found.text), found.text[-1]) == (MAX_QUESTION, "b")


def test_completions_are_not_answered_without_the_documents_that_a_model_answers_from() -> None:
    plain = parse({"model": "m", "prompt": "x"}, CompletionRequest)
    with pytest.raises(ApiError) as caught:
        query(plain, GROUNDED, TENANT)
    assert caught.value.code == "not_searchable"
    assert query(plain, PLAIN, TENANT) is None
    off = parse({"model": "m", "prompt": "x", "retrieval": {"grounded": False}}, CompletionRequest)
    assert query(off, GROUNDED, TENANT) is None


def test_passages_are_cut_to_the_context_and_one_always_goes() -> None:
    passages = [evidence(n, text="x" * 500) for n in range(20)]
    assert len(fitting(passages[:2], _chat(), BASE)) == 2
    kept = fitting(passages, _chat(), BASE)
    assert 1 < len(kept) < 20
    assert kept == tuple(passages[: len(kept)])
    assert len(fitting(passages, _chat(max_tokens=400), BASE)) < len(kept)
    assert fitting(passages, _chat(messages=[{"role": "user", "content": "y" * 5000}]), BASE) == (passages[0],)


ANSWERED = [
    {"role": "user", "content": "How much is the Basic plan?"},
    {"role": "assistant", "content": "It costs 9 euros a month [1]."},
]


@pytest.mark.parametrize(
    ("message", "strict", "answered"),
    [
        ("And the bigger one?", False, "It costs 9 euros a month."),
        ("And the bigger one?", True, ""),
        ("How many days of annual leave do employees in Berlin get?", False, ""),
        ("Thanks!", False, ""),
    ],
)
def test_only_a_follow_up_may_go_on_about_the_answer_before_it(message: str, strict: bool, answered: str) -> None:
    tenant = TenantEntry("acme", Limits(), {}, {"handbook": _spec(strict=strict)})
    asked = query(_chat(messages=[*ANSWERED, {"role": "user", "content": message}]), GROUNDED, tenant)
    assert asked is not None
    assert asked.answered == answered


async def test_the_search_gets_what_the_query_has() -> None:
    sent: list[SearchRequest] = []

    class Sidecar:
        async def search(self, request: SearchRequest, *, request_id: str) -> SearchResponse:
            sent.append(request)
            raise RetrievalError("enough")

    asked = Query(("handbook",), "And?", 4, match=Match.WORDS, earlier=("How much?",), answered="It costs 9 euros.")
    with pytest.raises(RetrievalError):
        await search(cast("Retrieval", Sidecar()), asked, tenant="acme", request_id="r")
    (request,) = sent
    assert (request.answered, request.earlier, request.match) == ("It costs 9 euros.", ["How much?"], Match.WORDS)
