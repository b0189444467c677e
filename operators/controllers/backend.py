"""Protocols of the back ends: a cluster, or one machine."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from contract.adapter import Adapter
from contract.adapter_slice import AdapterSlice
from contract.api_key import Scope
from contract.base_model import BaseModel
from contract.conditions import Condition
from contract.drift import Tenants
from contract.ingest import DesiredKnowledgeBases
from contract.objects import AnyObject
from contract.resource import Key, Status
from contract.tenant import Tenant
from operators.controllers.slice_index import StoredSlice
from operators.controllers.stored_object import StoredObject
from operators.desired.desired_items import DesiredItems
from operators.desired.jobs import AnyJob
from operators.reconcile.job_report import JobReport


class ObjectStore(Protocol):
    """The place of objects: the API server, or a directory with a record of statuses. The effects of writes arrive
    through `Events`."""

    @property
    def most_documents(self) -> int | None:
        """The most documents in one status, None without a limit."""

    @property
    def is_complete(self) -> bool:
        """True if every object is readable. Otherwise nothing may be removed as an orphan."""

    def revision(self, adapter: Adapter) -> str:
        """Identifies the content of an adapter's source: other content has another revision."""

    async def write_status(self, stored: StoredObject[AnyObject], status: Status) -> None: ...

    async def write_slice(
        self, base: StoredObject[BaseModel], item: AdapterSlice, before: StoredSlice | None
    ) -> None: ...

    async def delete_slice(self, name: str) -> None: ...

    async def secret(self, namespace: str, name: str) -> Mapping[str, str] | None:
        """The Secret's values, or None if there is no such Secret."""

    async def claim_namespace(self, stored: StoredObject[Tenant]) -> bool:
        """Reserves the namespace for the tenant, and guarantees off-boarding before deletion. Returns False if this
        changed the tenant; its change event follows."""

    async def make(self, adapter: Adapter) -> None:
        """Creates the adapter, unless there is one of its name."""

    async def delete(self, stored: StoredObject[AnyObject]) -> None: ...

    async def finish_offboarding(self, stored: StoredObject[Tenant], proof: Mapping[str, str] | None) -> None:
        """Ends the off-boarding. `proof` is the evidence, None if the namespace belonged to another tenant."""


class EngineRuntime(Protocol):
    """Runs engines as pods or processes."""

    def refusal(self, base: BaseModel) -> Condition | None:
        """Why this back end cannot run the base model at all, None if it can."""

    async def run(self, stored: StoredObject[BaseModel], *, needed: bool) -> None:
        """Brings the running engines towards the spec, and keeps one serving meanwhile. If they are not `needed`, they
        answer what they have and end. Raises RuntimeRefusal."""

    async def scale(self, stored: StoredObject[BaseModel], *, needed: bool) -> None:
        """Starts or stops the engines as they are, where the newest spec cannot be run. Raises RuntimeRefusal."""

    async def remove(self, name: str) -> None:
        """Removes the engines of a deleted base model."""

    def waiting_reason(self, name: str) -> str:
        """Why the newest spec of a base model does not run yet, "" if it does."""

    def selector(self, name: str) -> str:
        """The label selector of a base model's replicas for an autoscaler; "" without labels."""


class JobRuntime(Protocol):
    """Runs trainings and evaluations as jobs of a cluster or as processes."""

    def refusal(self, *, asks: bool) -> Condition | None:
        """Why this back end runs no job of this kind at all, None if it does."""

    def token(self, tenant: str, name: str, scopes: Collection[Scope]) -> str:
        """A token by which a job may ask the gateway as the tenant; `name` is the job's in logs."""

    async def run(self, job: AnyJob) -> JobReport:
        """Begins the job unless it runs or has ended, and reports how far it is. An earlier job of the same object is
        removed."""

    async def stop(self, key: Key) -> None:
        """Ends the object's job. Its files stay."""

    async def remove(self, key: Key, tenant: str) -> bool:
        """Ends the job of a deleted object, and removes its files. Trained adapters stay. False while the job ends."""

    async def forget(self, tenant: str) -> bool:
        """Removes everything of a tenant. True once nothing is left."""


class Peers(Protocol):
    """Receivers of desired state. Each push is repeated until it succeeds, and after a restart of the receiver."""

    def push_desired(self, uid: str, desired: DesiredItems) -> None:
        """Pushes a desired set to one agent."""

    def push_knowledge_bases(self, desired: DesiredKnowledgeBases) -> None:
        """Pushes the complete set to the ingest worker."""

    def push_tenants(self, tenants: Tenants) -> None:
        """Pushes the complete set to the drift detector."""


class RuntimeRefusal(Exception):
    """The engines cannot be created as the base model's spec says. As after any error, this is tried again later."""


@dataclass(frozen=True)
class Offboarding:
    """Evidence for a complete off-boarding."""

    objects: str
    engines: str
    index: str
    jobs: str
