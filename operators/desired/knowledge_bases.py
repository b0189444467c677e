"""Knowledge bases → the desired set of the ingest worker (pure)."""

from contract.acceptance import Verdicts, accepted, owners
from contract.ingest import DesiredKnowledgeBase, DesiredSource
from contract.knowledge_base import KnowledgeBase
from contract.objects import Objects


def desired_knowledge_bases(objects: Objects, verdicts: Verdicts) -> tuple[DesiredKnowledgeBase, ...]:
    """A refused edit keeps the earlier index, unless the right to it is lost."""
    tenants = owners(objects.tenants)
    return tuple(
        DesiredKnowledgeBase(tenant=tenants[base.namespace], name=base.name, sources=_sources(base))
        if accepted(verdicts, base)
        else DesiredKnowledgeBase(tenant=tenants[base.namespace], name=base.name, sources=[], kept=True)
        for base in objects.knowledge_bases
        if accepted(verdicts, base) or (base.may_be_searched(verdicts[base.key]) and base.namespace in tenants)
    )


def _sources(base: KnowledgeBase) -> list[DesiredSource]:
    return [DesiredSource(path=source.path) for source in base.spec.sources]
