"""KnowledgeBase: hand it to the ingest worker, and say what that has done."""

from datetime import datetime

from contract.conditions import stamp
from contract.knowledge_base import Document, KnowledgeBase
from contract.objects import Objects
from contract.resource import Key
from contract.tenant import Tenant
from operators.controllers.actions import Actions
from operators.controllers.world import World
from operators.desired.knowledge_bases import desired_knowledge_bases
from operators.reconcile.knowledge_base import next_status

# Some hundred bytes each, of the 1.5 MB that an object may have.
MOST_DOCUMENTS = 1000


async def reconcile(key: Key, world: World, act: Actions, now: datetime) -> None:
    known = world.known.get(key)
    if known is None or not isinstance(known.item, KnowledgeBase):
        return
    status = world.ingest()
    report = status.report(world.owner(known.item.namespace) or "", known.item.name) if status else None
    found = next_status(
        known.item,
        verdict=world.verdict(known.item, now),
        report=report,
        trouble=status.message if status else "",
        now=stamp(now),
    )
    await act.status(known, found.model_copy(update={"documents": _most_telling(found.documents)}))


def _most_telling(documents: tuple[Document, ...]) -> tuple[Document, ...]:
    """An object has a limit: those that failed, then the others, up to as many as fit."""
    return tuple(sorted(documents, key=lambda document: document.state != "Failed"))[:MOST_DOCUMENTS]


def tell_ingest(world: World, act: Actions, now: datetime) -> None:
    """The complete set: what is not in it is removed."""
    bases = tuple(item for item in world.of_kind(KnowledgeBase) if isinstance(item, KnowledgeBase))
    tenants = tuple(item for item in world.of_kind(Tenant) if isinstance(item, Tenant))
    rules = world.rules(now)
    leaving = {known.item.name for known in world.known.values() if known.deleting and isinstance(known.item, Tenant)}
    kept = tuple(base for base in bases if world.owner(base.namespace) not in leaving)
    objects = Objects.model_construct(knowledge_bases=kept, tenants=tenants)
    act.index(desired_knowledge_bases(objects, {base.key: rules.verdict(base) for base in bases}))


def tell_drift(world: World, act: Actions, now: datetime) -> None:
    """The complete set of tenants: what is kept of any other is removed."""
    rules = world.rules(now)
    tenants = (known.item for known in world.known.values() if isinstance(known.item, Tenant) and not known.deleting)
    act.register(tuple(sorted(tenant.name for tenant in tenants if rules.verdict(tenant).holds)))
