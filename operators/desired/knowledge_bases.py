"""Knowledge bases → the desired set of the ingest worker (pure)."""

from collections.abc import Iterable

from contract.acceptance import Verdicts, accepted, owners
from contract.ingest import DesiredKnowledgeBase, DesiredSource, DesiredTenant, DesiredWebSource
from contract.knowledge_base import KnowledgeBase
from contract.objects import Objects
from contract.tenant import Tenant


def desired_knowledge_bases(objects: Objects, verdicts: Verdicts) -> tuple[DesiredKnowledgeBase, ...]:
    """A refused edit keeps the earlier index, unless the right to it is lost."""
    tenants = owners(objects.tenants)
    return tuple(
        DesiredKnowledgeBase(tenant=tenants[base.namespace], name=base.name, sources=_sources(base), web=_web(base))
        if accepted(verdicts, base)
        else DesiredKnowledgeBase(tenant=tenants[base.namespace], name=base.name, sources=[], kept=True)
        for base in objects.knowledge_bases
        if accepted(verdicts, base) or (base.may_be_searched(verdicts[base.key]) and base.namespace in tenants)
    )


def desired_tenants(tenants: Iterable[Tenant]) -> list[DesiredTenant]:
    """A refused tenant keeps what it uploaded; only a deleted one loses it."""
    return [
        DesiredTenant(
            name=tenant.name,
            max_bytes=tenant.spec.documents.max_bytes,
            max_files=tenant.spec.documents.max_files,
            max_vector_stores=tenant.spec.documents.max_vector_stores,
        )
        for tenant in sorted(tenants, key=lambda tenant: tenant.name)
    ]


def _sources(base: KnowledgeBase) -> list[DesiredSource]:
    return [DesiredSource(path=source.path) for source in base.spec.sources]


def _web(base: KnowledgeBase) -> list[DesiredWebSource]:
    return [DesiredWebSource(**source.model_dump()) for source in base.spec.web]
