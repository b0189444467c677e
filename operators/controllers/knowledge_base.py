"""KnowledgeBase: push it to the ingest worker, and report its progress."""

from datetime import datetime

from contract.conditions import stamp
from contract.drift import Tenants
from contract.ingest import DesiredKnowledgeBases
from contract.knowledge_base import Document, KnowledgeBase
from contract.objects import Objects
from contract.resource import Key
from contract.tenant import Tenant
from operators.controllers.cache import ClusterCache
from operators.controllers.context import Context
from operators.desired.knowledge_bases import desired_knowledge_bases, desired_tenants
from operators.reconcile.knowledge_base import next_status


async def reconcile(key: Key, context: Context, now: datetime) -> None:
    cache = context.cache
    stored = cache.stored(key, KnowledgeBase)
    if stored is None:
        return
    report = cache.ingest.report(cache.owner(stored.item.namespace) or "", stored.item.name) if cache.ingest else None
    status = next_status(
        stored.item,
        verdict=cache.verdict(stored.item, now),
        report=report,
        trouble=_trouble(cache),
        now=stamp(now),
    )
    documents = _most_telling(status.documents, context.store.most_documents)
    await context.store.write_status(stored, status.model_copy(update={"documents": documents}))


def _trouble(cache: ClusterCache) -> str:
    down = [name for name in ("ingest", "retrieval", "milvus") if name in cache.down]
    if down:
        do = "do" if len(down) > 1 else "does"
        return f"{' and '.join(down)} {do} not answer; a process that hangs is restarted"
    return cache.ingest.message if cache.ingest else ""


def _most_telling(documents: tuple[Document, ...], limit: int | None) -> tuple[Document, ...]:
    """Keeps as many documents as the store allows, failed ones first."""
    if limit is None or len(documents) <= limit:
        return documents
    return tuple(sorted(documents, key=lambda document: document.state != "Failed"))[:limit]


def push_to_ingest(context: Context, now: datetime) -> None:
    """Pushes the complete set of knowledge bases; the worker removes all others."""
    cache = context.cache
    bases = tuple(item for item in cache.of_kind(KnowledgeBase) if isinstance(item, KnowledgeBase))
    tenants = tuple(item for item in cache.of_kind(Tenant) if isinstance(item, Tenant))
    rules = cache.rules(now)
    leaving = {s.item.name for s in cache.objects.values() if s.deleting and isinstance(s.item, Tenant)}
    staying = [tenant for tenant in tenants if tenant.name not in leaving]
    kept = tuple(base for base in bases if cache.owner(base.namespace) not in leaving)
    objects = Objects.model_construct(knowledge_bases=kept, tenants=tenants)
    if context.store.is_complete:
        listed = desired_knowledge_bases(objects, {base.key: rules.verdict(base) for base in bases})
        context.peers.push_knowledge_bases(
            DesiredKnowledgeBases(knowledge_bases=list(listed), tenants=desired_tenants(staying))
        )


def push_to_drift(context: Context, now: datetime) -> None:
    """Pushes the complete set of tenants; the detector removes all others."""
    rules = context.cache.rules(now)
    tenants = (s.item for s in context.cache.objects.values() if isinstance(s.item, Tenant) and not s.deleting)
    if context.store.is_complete:
        references = {tenant.name: tenant.spec.drift_reference for tenant in tenants if rules.verdict(tenant).holds}
        context.peers.push_tenants(Tenants(tenants=sorted(references), references=references))
