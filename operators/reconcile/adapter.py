"""The life of an adapter: candidate → every replica confirms → flip → drain → gone (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass

from operators.api import conditions as c
from operators.api.adapter import ActiveVersion, Adapter, AdapterStatus
from operators.api.agent import AgentStatus, HeldAdapter
from operators.api.conditions import Condition, condition
from operators.api.gateway import GatewayState
from operators.api.names import engine_name
from operators.desired.adapters import in_use


@dataclass(frozen=True)
class Observed:
    """What one adapter's status is computed from. `replicas` are those of its base model."""

    tenant: str
    revision: str
    verdict: Condition
    replicas: Sequence[AgentStatus]
    gateways: Sequence[GatewayState]
    now: str


def next_status(adapter: Adapter, seen: Observed) -> AdapterStatus:
    reports = [r.report(seen.tenant, adapter.name, seen.revision) for r in seen.replicas]
    active = _active(adapter, seen, reports)
    holders = sum(1 for r in seen.replicas if active and active.engine_name in r.answering)
    new = (seen.verdict, _fetched(reports), _ready(active, holders, seen))
    return AdapterStatus(
        active=active,
        candidate=_agreed_digest(reports),
        draining=_draining(active, adapter, seen),
        replicas_ready=holders,
        replicas_desired=len(seen.replicas),
        conditions=c.merged(adapter.status.conditions, new, generation=adapter.metadata.generation, now=seen.now),
    )


def _active(adapter: Adapter, seen: Observed, reports: Sequence[HeldAdapter | None]) -> ActiveVersion | None:
    """The flip: the candidate takes over once every replica has had an answer from it."""
    old = adapter.status.active
    if seen.verdict.reason in c.REVOKING:
        return None
    digest = _agreed_digest(reports)
    confirmed = digest and all(r is not None and r.state == "Ready" for r in reports)
    if not (seen.verdict.holds and confirmed and digest) or (old and old.digest == digest):
        return old
    return ActiveVersion(
        digest=digest,
        engine_name=engine_name(seen.tenant, adapter.name, digest),
        base_model=adapter.spec.base_model,
        source=adapter.spec.source,
        generation=(old.generation if old else 0) + 1,
    )


def _agreed_digest(reports: Sequence[HeldAdapter | None]) -> str | None:
    digests = {report.digest if report else None for report in reports}
    return digests.pop() if len(digests) == 1 else None


def _draining(active: ActiveVersion | None, adapter: Adapter, seen: Observed) -> tuple[str, ...]:
    """Older versions that still answer requests which began with them."""
    current = {active.digest} if active else set()
    names = (h for r in seen.replicas for h in in_use(r, seen.gateways) if h.digest not in current)
    mine = (h for h in names if (h.tenant, h.adapter) == (seen.tenant, adapter.name) and h.revision != seen.revision)
    return tuple(sorted({h.digest for h in mine if h.digest}))


def _fetched(reports: Sequence[HeldAdapter | None]) -> Condition:
    failed = next((r for r in reports if r is not None and r.state == "Failed"), None)
    if failed:
        return condition(c.FETCHED, False, failed.reason, failed.message)
    if not reports or any(r is None or r.digest is None for r in reports):
        return condition(c.FETCHED, False, c.FETCHING, "the engine's agent has not verified the artifact yet")
    return condition(c.FETCHED, True, c.VERIFIED)


def _ready(active: ActiveVersion | None, holders: int, seen: Observed) -> Condition:
    if active is None:
        return condition(c.READY, False, c.WAITING, "no version has answered yet")
    if holders < len(seen.replicas) or not holders:
        return condition(c.READY, False, c.LOADING, f"{holders} of {len(seen.replicas)} replicas answer")
    return condition(c.READY, True, c.ANSWERING, f"version {active.digest[:12]} answers on {holders} replicas")
