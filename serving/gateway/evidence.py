"""The knowledge bases of a request, their evidence for its question, and the part fitting into the context."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from contract.knowledge_base import KnowledgeBaseSpec
from contract.prompt import Prompt
from contract.search import MIN_RELEVANCE, Evidence, Match, SearchRequest, SearchResponse
from contract.vector_store import PREFIX, is_made_by_api
from serving.gateway.catalog import Base, Target, TenantEntry
from serving.gateway.conversation.turn import Turn, previous_questions, turn, without_marks, without_small_talk
from serving.gateway.errors import InvalidRequest, NotFound, knowledge_base_not_found
from serving.gateway.grounding import instruction
from serving.gateway.prompting import length
from serving.gateway.retrieval_client import Retrieval, RetrievalError
from serving.gateway.schemas import AnyRequest, ChatRequest, RetrievalOptions

# Characters, the sidecar's limit. Of longer messages only the end is searched: questions usually stand there.
MAX_QUESTION = 8192
# A low estimate for most languages and tokenizers. If it is still too high, the engine refuses the request.
_BYTES_PER_TOKEN = 2.5
_DEFAULT_ANSWER_TOKENS = 256
_NO_OPTIONS = RetrievalOptions()
# A vector store made by the API has no object with settings.
_UNMANAGED = KnowledgeBaseSpec()


@dataclass(frozen=True)
class Query:
    """A search for a request."""

    knowledge_bases: tuple[str, ...]
    text: str
    top_k: int
    min_relevance: float = MIN_RELEVANCE
    explain: bool = False
    match: Match = Match.ANY
    earlier: tuple[str, ...] = ()
    """The questions that a follow-up may mean, oldest first."""
    answered: str = ""
    """The answer before the message, which may go on about its document."""
    turn: Turn = Turn.QUESTION
    asked: str = field(default="", compare=False)
    """All questions of the conversation."""
    strict: bool = False
    """True if anything is answered from documents only, small talk included."""

    @property
    def may_be_conversation(self) -> bool:
        """True if the model answers where the search finds nothing."""
        return not self.strict and not self.turn.needs_documents


def query(request: AnyRequest, target: Target, tenant: TenantEntry | None) -> Query | None:
    """None for a request without retrieval.

    Raises NotFound for a knowledge base unknown to the tenant, and InvalidRequest if documents are required and there
    is nothing to search, or no question: nobody gets an answer without documents unawares.
    """
    options = request.retrieval or _NO_OPTIONS
    if options.grounded is False:
        return None
    defaults: Mapping[str, KnowledgeBaseSpec] = tenant.knowledge_bases if tenant else {}
    names = _names(options, target, defaults, tenant.refused_knowledge_bases if tenant else frozenset())
    if not names:
        _refuse_without_names(request, target, tenant)
        return None
    if not isinstance(request, ChatRequest):
        raise InvalidRequest(
            f"`{target.name}` answers from documents, which completions cannot; use /v1/chat/completions, or turn it "
            'off with `"retrieval": {"grounded": false}`.',
            code="not_searchable", param="retrieval",
        )  # fmt: skip
    text = request.question.strip()
    if not text:
        raise InvalidRequest("Documents are searched for the last user message; write one.", code="no_question",
                             param="messages")  # fmt: skip
    kind = turn(text, [*request.questions[:-1], request.last_answer] if request.has_answer else [])
    earlier = previous_questions(request.questions[:-1]) if kind is Turn.FOLLOW_UP else []
    specs = [defaults.get(name, _UNMANAGED) for name in names]
    relevance, strict = options.min_relevance, any(spec.strict for spec in specs)
    return Query(
        knowledge_bases=names,
        text=without_small_talk(text)[-MAX_QUESTION:],
        earlier=tuple(each[-MAX_QUESTION:] for each in earlier),
        answered=without_marks(request.last_answer)[-MAX_QUESTION:] if kind is Turn.FOLLOW_UP and not strict else "",
        top_k=options.top_k or max(spec.top_k for spec in specs),
        # Of several knowledge bases, the strictest decides.
        min_relevance=max(spec.min_relevance for spec in specs) if relevance is None else relevance,
        explain=options.explain,
        match=options.match,
        turn=kind,
        asked="\n".join(request.questions)[-MAX_QUESTION:],
        strict=strict,
    )


def _refuse_without_names(request: AnyRequest, target: Target, tenant: TenantEntry | None) -> None:
    """Raises InvalidRequest if the request or its adapter asks for documents."""
    if target.knowledge_bases:
        refused = tenant.refused_knowledge_bases & set(target.knowledge_bases) if tenant else frozenset()
        why = "were refused; the reason is in their status" if refused else "do not exist any more"
        raise _nothing_to_search(f"the knowledge bases of `{target.name}` {why}")
    if request.retrieval is not None:
        raise _nothing_to_search(f"`{target.name}` has no knowledge bases of its own, and the request names none")


def _nothing_to_search(why: str) -> InvalidRequest:
    return InvalidRequest(
        f"There is nothing to search: {why}; give `retrieval.knowledge_bases`, or turn it off with "
        '`"retrieval": {"grounded": false}`.',
        code="no_knowledge_base", param="retrieval.knowledge_bases",
    )  # fmt: skip


def _names(
    options: RetrievalOptions, target: Target, own: Mapping[str, KnowledgeBaseSpec], refused: Set[str]
) -> tuple[str, ...]:
    """The request's knowledge bases, by name or as vector stores, or the adapter's. Missing defaults are skipped,
    because the caller did not ask for them. The gateway does not have the names of vector stores made by the API: a
    search fails for one that its tenant does not have."""
    if options.knowledge_bases is None:
        return tuple(name for name in target.knowledge_bases if name in own)
    names = [name.removeprefix(PREFIX) for name in options.knowledge_bases]
    unknown = next((name for name in names if name not in own and not is_made_by_api(name)), None)
    if unknown in refused:
        raise NotFound(f"The knowledge base `{unknown}` was refused and is empty. Its team sees why on the object.",
                       code="knowledge_base_refused", param="retrieval.knowledge_bases")  # fmt: skip
    if unknown is not None:
        raise knowledge_base_not_found(unknown)
    return tuple(names)


def fitting(
    evidence: Sequence[Evidence], request: ChatRequest, base: Base, prompt: Prompt | None = None
) -> tuple[Evidence, ...]:
    """As many leading passages as fit into the context beside prompt, messages and answer, at least one."""
    limit = min(request.completion_limit or _DEFAULT_ANSWER_TOKENS, base.max_model_length // 2)
    said = (
        length(prompt)
        + len(instruction(prompt).encode())
        + sum(len(message.text.encode()) for message in request.messages)
    )
    room = (base.max_model_length - limit) * _BYTES_PER_TOKEN - said
    fitting_items: list[Evidence] = []
    for item in evidence:
        room -= len(item.passage.encode())
        if fitting_items and room < 0:
            break
        fitting_items.append(item)
    return tuple(fitting_items)


async def search(retrieval: Retrieval | None, asked: Query, *, tenant: str, request_id: str) -> SearchResponse:
    """Raises RetrievalError."""
    if retrieval is None:
        raise RetrievalError("no sidecar is configured")
    request = SearchRequest(
        tenant=tenant,
        knowledge_bases=list(asked.knowledge_bases),
        query=asked.text,
        earlier=list(asked.earlier),
        answered=asked.answered,
        top_k=asked.top_k,
        min_relevance=asked.min_relevance,
        explain=asked.explain,
        match=asked.match,
    )
    return await retrieval.search(request, request_id=request_id)
