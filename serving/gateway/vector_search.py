"""A search in one vector store, in the shape of OpenAI's API."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from contract.search import Evidence, SearchRequest, is_printable_name
from contract.vector_store import PREFIX
from serving.gateway.authentication import DOCUMENTS, INFERENCE
from serving.gateway.dates import iso_date
from serving.gateway.errors import InvalidRequest, NotFound, unavailable
from serving.gateway.requests.vector_search import VectorSearchRequest
from serving.gateway.retrieval_client import Retrieval, RetrievalError, UnknownKnowledgeBase


class VectorSearch:
    # Whoever may ask for answers from documents may see their passages.
    scopes = DOCUMENTS | INFERENCE

    def __init__(self, retrieval: Retrieval | None) -> None:
        self._retrieval = retrieval

    async def page(
        self, tenant: str, store_id: str, request: VectorSearchRequest, request_id: str
    ) -> Mapping[str, Any]:
        """Raises InvalidRequest, NotFound and Unavailable."""
        if not store_id.startswith(PREFIX):
            raise InvalidRequest(f"Invalid '{store_id}'. Expected an ID that begins with '{PREFIX}'.")
        if not is_printable_name(store_id.removeprefix(PREFIX)):
            raise _not_found(store_id)
        searches = [self._passages(tenant, store_id, query, request, request_id) for query in request.queries]
        passages = best(await asyncio.gather(*searches), request)
        return {
            "object": "vector_store.search_results.page",
            "search_query": request.queries,
            "data": [_result(item) for item in passages],
            "has_more": False,
            "next_page": None,
        }

    async def _passages(
        self, tenant: str, store_id: str, query: str, request: VectorSearchRequest, request_id: str
    ) -> Sequence[Evidence]:
        if self._retrieval is None:
            raise NotFound("This platform has no documents: retrieval is not installed.", code="no_documents")
        search = SearchRequest(
            tenant=tenant,
            knowledge_bases=[store_id.removeprefix(PREFIX)],
            query=query,
            match=request.match,
            filter=request.filters,
            top_k=request.max_num_results,
            explain=True,
        )
        try:
            return (await self._retrieval.search(search, request_id=request_id)).considered
        except UnknownKnowledgeBase as error:
            raise _not_found(store_id) from error
        except RetrievalError as error:
            raise unavailable("Documents cannot be searched at the moment", "retrieval_unavailable") from error


def _not_found(store_id: str) -> NotFound:
    return NotFound(f"No vector store found with id '{store_id[:80]}'.", code="not_found")


def best(results: Iterable[Sequence[Evidence]], request: VectorSearchRequest) -> list[Evidence]:
    """The most relevant passages of all queries, each once. Those of one query keep their order, which a re-ranker may
    have decided."""
    by_id: dict[str, Evidence] = {}
    for item in (item for passages in results for item in passages):
        if item.chunk_id not in by_id or by_id[item.chunk_id].score < item.score:
            by_id[item.chunk_id] = item
    enough = [item for item in by_id.values() if item.score >= request.ranking_options.score_threshold]
    if len(request.queries) > 1:
        enough.sort(key=lambda item: (-item.score, item.chunk_id))
    return enough[: request.max_num_results]


def _result(item: Evidence) -> Mapping[str, Any]:
    return {
        "file_id": item.file_id,
        "filename": item.document,
        "score": item.score,
        "attributes": item.attributes,
        "content": [{"type": "text", "text": item.text}],
        "heading": item.heading,
        "page": item.page or None,
        "dated": iso_date(item.dated),
        "dense_score": item.dense_score,
        "lexical_score": item.lexical_score,
        "rerank_score": item.rerank_score,
        "chunk_id": item.chunk_id,
    }
