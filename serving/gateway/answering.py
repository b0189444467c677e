"""The steps to an answer: a search, if the request or its adapter asks for one, then an engine or an abstention."""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from contract.search import Evidence, Outcome, SearchResponse
from contract.vector_store import is_made_by_api
from serving.gateway import evidence
from serving.gateway.abstention import Abstention
from serving.gateway.catalog import Catalog
from serving.gateway.contradictions import newest_first
from serving.gateway.engine_refusals import ContextTooLong
from serving.gateway.errors import knowledge_base_not_found, unavailable
from serving.gateway.grammars import Grammars
from serving.gateway.grounding import grounding, instruction
from serving.gateway.grounds import Grounds, grounds
from serving.gateway.prompting import prompted, with_instruction
from serving.gateway.raw_request import EVENT_STREAM, JSON
from serving.gateway.request_context import RequestContext
from serving.gateway.retrieval_client import Retrieval, RetrievalError, UnknownKnowledgeBase
from serving.gateway.schemas import AnyRequest, ChatRequest, engine_body
from serving.gateway.upstream import Upstream

logger = logging.getLogger(__name__)


class Answering:
    def __init__(self, catalog: Callable[[], Catalog], upstream: Upstream, retrieval: Retrieval | None) -> None:
        self._catalog = catalog
        self._upstream = upstream
        self._retrieval = retrieval
        self._grammars = Grammars()

    async def answer(self, context: RequestContext) -> None:
        await self._grammars.check(context.target.tenant, context.request.grammars)  # after the limits
        context.record.begins_conversation = _begins_conversation(context.request)
        query = evidence.query(context.request, context.target, self._catalog().tenants.get(context.target.tenant))
        if query is None or not isinstance(context.request, ChatRequest):
            await self._upstream.forward(context, _body(context), None)
            return
        hits = await self._search(context, query)
        if not hits.evidence and (context.request.forces_a_call or context.request.continues_a_call):
            # A tool call is not an answer, and a tool's result is enough evidence.
            await self._upstream.forward(context, _body(context), None)
            return
        if not hits.evidence and query.may_be_conversation:
            await self._converse(context)
            return
        if not hits.evidence:
            await self._abstain(context, context.request, grounds(query, hits, []))
            return
        fitting = newest_first(evidence.fitting(hits.evidence, context.request, context.base, context.target.prompt))
        await self._answer_from(context, partial(grounds, query, hits), fitting)

    async def _answer_from(
        self, context: RequestContext, grounds_of: Callable[[Sequence[Evidence]], Grounds], passages: Sequence[Evidence]
    ) -> None:
        """If the engine counts more tokens than its context holds, tries again with half of the passages."""
        body = _body(context)
        text = grounding([item.passage for item in passages], instruction(context.target.prompt))
        body["messages"] = with_instruction(body["messages"], text)
        try:
            await self._upstream.forward(context, body, grounds_of(passages))
        except ContextTooLong:
            if len(passages) == 1:
                raise
            await self._answer_from(context, grounds_of, passages[: len(passages) // 2])

    async def _search(self, context: RequestContext, query: evidence.Query) -> SearchResponse:
        """Raises Unavailable."""
        begun = time.monotonic()
        try:
            hits = await evidence.search(
                self._retrieval, query, tenant=context.target.tenant, request_id=context.raw.request_id
            )
        except UnknownKnowledgeBase as error:
            missing = next(iter(filter(is_made_by_api, query.knowledge_bases)), None)
            if missing is None:  # the index does not have a new object yet
                raise unavailable("Documents cannot be searched at the moment", "retrieval_unavailable") from error
            raise knowledge_base_not_found(missing) from error
        except RetrievalError as error:
            context.record.retrieval = "error"
            logger.warning("request %s of tenant %s: search failed: %s",
                           context.raw.request_id, context.record.tenant, error)  # fmt: skip
            raise unavailable("Documents cannot be searched at the moment", "retrieval_unavailable") from error
        finally:
            context.record.retrieval_s = time.monotonic() - begun
        context.record.retrieval = hits.outcome.value
        context.record.search = hits
        context.raw.headers["x-quiver-retrieval"] = hits.outcome
        return hits

    async def _converse(self, context: RequestContext) -> None:
        """The model answers from the conversation, which is no question to the documents."""
        context.record.retrieval = Outcome.CONVERSATION.value
        context.raw.headers["x-quiver-retrieval"] = Outcome.CONVERSATION
        await self._upstream.forward(context, _body(context), None)

    async def _abstain(self, context: RequestContext, request: ChatRequest, without: Grounds) -> None:
        """Answers with an abstention, without asking an engine."""
        context.record.finish_reason, context.record.first_byte = "stop", time.monotonic()
        context.record.abstained = True
        prompt = context.target.prompt
        answer = Abstention(context.raw.unique_id, int(time.time()), context.target.label, without.explanation,
                            sentence=prompt.abstention if prompt else "")  # fmt: skip
        await context.raw.respond(200, answer.body(request), EVENT_STREAM if request.stream else JSON)


def _begins_conversation(request: AnyRequest) -> bool:
    """True if nothing was asked or answered before: later questions of a conversation are about the same."""
    return not isinstance(request, ChatRequest) or (len(request.questions) == 1 and not request.has_answer)


def _body(context: RequestContext) -> dict[str, Any]:
    """A prompt belongs to conversations: completions are text to go on with."""
    target = context.target
    body = engine_body(context.request, engine_name=target.engine_name or "", cache_salt=target.tenant)
    if target.prompt and isinstance(context.request, ChatRequest):
        body["messages"] = prompted(body["messages"], target.prompt)
    return body
