"""What the operator and an engine's agent say to each other."""

from typing import Literal

from operators.api.value import Digest, Name, Uri, Value

HeldState = Literal["Fetching", "Loading", "Ready", "Failed"]


class DesiredAdapter(Value):
    """One version to hold.

    A candidate has a `source` and a `revision` that changes whenever the source may hold other content; its
    `digest`, if there is one, is a pin. A version without a source is in the agent's store under its digest.
    A `required` version must answer before the replica takes any traffic.
    """

    tenant: Name
    adapter: Name
    source: Uri | None
    revision: str
    digest: Digest | None = None
    required: bool = False


class DesiredSet(Value):
    """All that one agent should hold; whatever else its engine has is unloaded."""

    adapters: tuple[DesiredAdapter, ...] = ()


class HeldAdapter(Value):
    """How far one desired version is. `reason` and `message` carry the fact that failed."""

    tenant: Name
    adapter: Name
    revision: str
    state: HeldState
    digest: Digest | None = None
    engine_name: str | None = None
    reason: str = ""
    message: str = ""


class AgentStatus(Value):
    """`version` grows with every change; `started` is the engine's start in Unix seconds, None while it is down."""

    version: int
    ready: bool
    started: float | None
    adapters: tuple[HeldAdapter, ...] = ()

    def report(self, tenant: str, adapter: str, revision: str) -> HeldAdapter | None:
        wanted = (tenant, adapter, revision)
        return next((h for h in self.adapters if (h.tenant, h.adapter, h.revision) == wanted), None)

    @property
    def answering(self) -> frozenset[str]:
        return frozenset(h.engine_name for h in self.adapters if h.state == "Ready" and h.engine_name)
