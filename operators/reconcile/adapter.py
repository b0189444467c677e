"""A release and observations → the status of an adapter (pure)."""

from collections.abc import Sequence

from contract import conditions as c
from contract.adapter import Adapter, AdapterStatus
from contract.agent import HeldAdapter
from contract.conditions import Condition, condition
from contract.model_names import may_name
from operators.desired.adapters import in_use
from operators.reconcile.release import Observed, Release, next_release


def next_status(adapter: Adapter, seen: Observed) -> AdapterStatus:
    release = next_release(adapter, seen)
    active, reports = release.active, seen.reports(adapter)
    candidate = _agreed_digest(reports)
    holders = sum(1 for replica in seen.replicas if active and active.engine_name in replica.answering)
    fetched = _fetched(reports, seen)
    new = (
        seen.verdict,
        fetched,
        _released(adapter, release, candidate, seen),
        _ready(release, holders, fetched, seen),
    )
    return AdapterStatus(
        active=active,
        canary=release.canary,
        previous=release.previous,
        rejected=release.rejected,
        history=release.history,
        handled=release.handled,
        acknowledged=release.acknowledged,
        candidate=candidate,
        draining=_draining(release, adapter, seen),
        replicas_ready=holders,
        replicas_desired=len(seen.replicas),
        conditions=c.merged(adapter.status.conditions, new, generation=adapter.metadata.generation, now=seen.now),
    )


def _agreed_digest(reports: Sequence[HeldAdapter | None]) -> str | None:
    digests = {report.digest if report else None for report in reports}
    return digests.pop() if len(digests) == 1 else None


def _draining(release: Release, adapter: Adapter, seen: Observed) -> tuple[str, ...]:
    """Versions kept only for requests begun with them."""
    kept = {version.digest for version in (release.active, release.canary, *release.previous) if version}
    names = (
        held
        for replica in seen.replicas
        for held in in_use(replica, lambda *_: seen.gateways)
        if held.digest not in kept
    )
    mine = (h for h in names if (h.tenant, h.adapter) == (seen.tenant, adapter.name) and h.revision != seen.revision)
    return tuple(sorted({h.digest for h in mine if h.digest}))


def _fetched(reports: Sequence[HeldAdapter | None], seen: Observed) -> Condition:
    failed = next((r for r in reports if r is not None and r.state == "Failed"), None)
    if failed:
        return condition(c.FETCHED, False, failed.reason, failed.message)
    if seen.unplaced:
        return seen.unplaced
    if not reports or any(r is None or r.digest is None for r in reports):
        return condition(c.FETCHED, False, c.FETCHING, "the engine's agent has not verified the artifact yet")
    return condition(c.FETCHED, True, c.VERIFIED, _note(reports, seen))


def _note(reports: Sequence[HeldAdapter | None], seen: Observed) -> str:
    """A name is a hint: fitting shapes are served, and the status mentions the other name."""
    made_for = next((report.made_for for report in reports if report and report.made_for), "")
    if not made_for or not seen.base_names or may_name(made_for, seen.base_names):
        return ""
    return (
        f"its configuration names {made_for!r} as its base, which is not a name of this base model; the shapes fit. If "
        "it is the same model, add the name to the base model's alsoKnownAs"
    )


def _released(adapter: Adapter, release: Release, candidate: str | None, seen: Observed) -> Condition:
    """Whether the alias points to the source's content, and the reason if not."""
    active, canary, rejected = release.active, release.canary, release.rejected
    if canary:
        steps = len(adapter.spec.rollout.canary.steps) if adapter.spec.rollout.canary else 0
        words = f"version {canary.digest[:12]} has {canary.weight} % of the traffic, step {canary.step + 1} of {steps}"
        return condition(c.RELEASED, False, c.CANARY_RUNNING, words)
    if active and candidate == active.digest:
        if release.acknowledged == active.generation:
            return condition(c.RELEASED, True, c.ROUTED, f"version {active.digest[:12]}")
        return condition(c.RELEASED, False, c.WAITING, "the gateways have not taken up the newest version yet")
    if rejected and adapter.harms(seen.revision):
        return condition(c.RELEASED, False, rejected.reason, f"version {rejected.digest[:12]} harmed an engine")
    if rejected and candidate == rejected.digest:
        words = f"version {rejected.digest[:12]} was taken back: {rejected.message}; edit the source, or promote it"
        return condition(c.RELEASED, False, rejected.reason, words)
    return condition(c.RELEASED, False, c.WAITING, "the source's version does not answer on every replica yet")


def _ready(release: Release, holders: int, fetched: Condition, seen: Observed) -> Condition:
    """Ready means answering on at least one replica. Otherwise the condition names the cause."""
    if release.active is None and not seen.verdict.holds:
        return condition(c.READY, False, seen.verdict.reason, seen.verdict.message)
    if release.active is None and not fetched.holds and fetched.reason not in c.ON_ITS_WAY:
        return condition(c.READY, False, fetched.reason, fetched.message)
    if release.active is None:
        return condition(c.READY, False, c.WAITING, "no version has answered yet")
    if seen.gateway_down:
        return condition(
            c.READY, False, c.GATEWAY_DOWN, "the gateway does not answer, and is started again if it hangs"
        )
    of = f"{holders} of {len(seen.replicas)} replicas"
    if not holders:
        return condition(c.READY, False, c.LOADING, f"{of} answer")
    return condition(c.READY, True, c.ANSWERING, f"version {release.active.digest[:12]} answers on {of}")
