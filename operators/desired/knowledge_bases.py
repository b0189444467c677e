"""Knowledge bases → what the ingest worker should keep indexed (pure)."""

from operators.api.acceptance import Verdicts, accepted, owners
from operators.api.knowledge_base import Source
from operators.api.objects import Objects
from operators.api.value import Name, Value


class DesiredKnowledgeBase(Value):
    tenant: Name
    name: Name
    sources: tuple[Source, ...]


def desired_knowledge_bases(objects: Objects, verdicts: Verdicts) -> tuple[DesiredKnowledgeBase, ...]:
    tenants = owners(objects.tenants)
    return tuple(
        DesiredKnowledgeBase(tenant=tenants[base.namespace], name=base.name, sources=base.spec.sources)
        for base in objects.knowledge_bases
        if accepted(verdicts, base)
    )
