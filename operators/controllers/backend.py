"""What the controllers ask of the place that they run in: a cluster, or one machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from contract.adapter import Adapter
from contract.agent import DesiredSet
from contract.base_model import BaseModel
from contract.conditions import Condition
from contract.ingest import DesiredKnowledgeBase
from contract.objects import AnyObject
from contract.resource import Status
from contract.tenant import Tenant
from operators.controllers.stored_object import StoredObject


class ObjectStore(Protocol):
    """Where objects live: the API server, or a directory with a record of statuses. What a write has changed comes back
    through `Events`."""

    @property
    def most_documents(self) -> int | None:
        """That one status can list."""

    @property
    def is_complete(self) -> bool:
        """Every object can be read: only then may what belongs to none of them be removed."""

    def revision(self, adapter: Adapter) -> str:
        """A word for what an adapter's source holds: other content is another revision."""

    async def write_status(self, stored: StoredObject[AnyObject], status: Status) -> None: ...

    async def secret(self, namespace: str, name: str) -> Mapping[str, str] | None:
        """Its values, or None where there is none."""

    async def claim_namespace(self, stored: StoredObject[Tenant]) -> bool:
        """Makes the namespace the tenant's own, and sees to it that the tenant is off-boarded before it is gone. False
        where that has changed the tenant, which comes back."""

    async def delete(self, stored: StoredObject[AnyObject]) -> None: ...

    async def finish_offboarding(self, stored: StoredObject[Tenant], proof: Mapping[str, str] | None) -> None:
        """Nothing of the tenant is left. `proof` says how that is known, None where the namespace was another's."""


class EngineRuntime(Protocol):
    """What runs engines: pods, or processes."""

    def refusal(self, base: BaseModel) -> Condition | None:
        """Why this place cannot run the base model at all."""

    async def run(self, stored: StoredObject[BaseModel]) -> None:
        """Makes what runs what the base model says, as far as that goes without taking away what answers. Raises
        RuntimeRefusal."""

    async def remove(self, name: str) -> None:
        """The base model is gone."""

    def waits(self, name: str) -> str:
        """Why the newest spec of a base model is not run yet, "" where it is."""

    def selector(self, name: str) -> str:
        """Names the replicas of a base model to an autoscaler; "" where there is none."""


class Peers(Protocol):
    """Whom the controllers tell what to do. Each is told until it has taken it up, and again after it was restarted."""

    def push_desired(self, uid: str, desired: DesiredSet) -> None:
        """To one agent."""

    def push_knowledge_bases(self, bases: tuple[DesiredKnowledgeBase, ...]) -> None:
        """To the ingest worker: the complete set."""

    def push_tenants(self, tenants: tuple[str, ...]) -> None:
        """To the drift detector: the complete set."""


class RuntimeRefusal(Exception):
    """The engines cannot be made as the base model says. Its cause is tried again later, as any error is."""


@dataclass(frozen=True)
class Offboarding:
    """How it is known that nothing of a tenant is left."""

    objects: str
    engines: str
    index: str
