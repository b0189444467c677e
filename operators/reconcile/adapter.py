"""A release and observations → the status of an adapter (pure)."""

from collections.abc import Sequence

from contract import conditions as c
from contract.adapter import NO_CONTENT, Adapter, AdapterStatus, short, version_digest
from contract.agent import AdapterReport
from contract.conditions import Condition, condition
from contract.model_names import may_name
from operators.desired.adapters import in_use
from operators.reconcile.release import Observed, Release, next_release
from operators.reconcile.trial import trial


def next_status(adapter: Adapter, observed: Observed) -> AdapterStatus:
    release = next_release(adapter, observed)
    active, reports = release.active, observed.reports(adapter)
    candidate = _declared(adapter, reports)
    holders = observed.holders(active) if active else 0
    fetched = _fetched(adapter, reports, observed)
    new = (
        observed.verdict,
        fetched,
        _released(adapter, release, candidate, observed),
        _ready(release, holders, fetched, observed),
        *((observed.on_demand,) if observed.on_demand and active else ()),
    )
    return AdapterStatus(
        active=active,
        canary=release.canary,
        trial=trial(adapter, release.canary, observed),
        previous=release.previous,
        rejected=release.rejected,
        history=release.history,
        handled=release.handled,
        acknowledged=release.acknowledged,
        candidate=candidate,
        draining=_draining(release, adapter, observed),
        replicas_ready=holders,
        replicas_desired=len(observed.replicas),
        conditions=c.merged(adapter.status.conditions, new, generation=adapter.metadata.generation, now=observed.now),
    )


def _declared(adapter: Adapter, reports: Sequence[AdapterReport | None]) -> str | None:
    """The version of the spec, as soon as all replicas have the same content."""
    digests = {report.digest if report else None for report in reports}
    content = digests.pop() if len(digests) == 1 else None
    if adapter.spec.source is None:
        content = NO_CONTENT
    return version_digest(content, adapter.spec.prompt) if content else None


def _draining(release: Release, adapter: Adapter, observed: Observed) -> tuple[str, ...]:
    """Versions kept only for requests that began with them."""
    kept = {version.content_digest for version in (release.active, release.canary, *release.previous) if version}
    names = (
        entry
        for replica in observed.replicas
        for entry in in_use(replica, lambda *_: observed.gateways)
        if entry.digest not in kept
    )
    mine = (
        h for h in names if (h.tenant, h.adapter) == (observed.tenant, adapter.name) and h.revision != observed.revision
    )
    return tuple(sorted({h.digest for h in mine if h.digest}))


def _fetched(adapter: Adapter, reports: Sequence[AdapterReport | None], observed: Observed) -> Condition:
    if adapter.spec.source is None:
        return condition(c.FETCHED, True, c.VERIFIED, "a prompt alone: the base model itself answers")
    failed = next((r for r in reports if r is not None and r.state == "Failed"), None)
    if failed:
        return condition(c.FETCHED, False, failed.reason, failed.message)
    if observed.unplaced:
        return observed.unplaced
    if not reports or any(r is None or r.digest is None for r in reports):
        return condition(c.FETCHED, False, c.FETCHING, "the engine's agent has not verified the artifact yet")
    return condition(c.FETCHED, True, c.VERIFIED, _note(reports, observed))


def _note(reports: Sequence[AdapterReport | None], observed: Observed) -> str:
    """The base model named in the artifact is only a hint: if the shapes fit, the status just mentions the name."""
    made_for = next((report.made_for for report in reports if report and report.made_for), "")
    if not made_for or not observed.base_names or may_name(made_for, observed.base_names):
        return ""
    return (
        f"its configuration names {made_for!r} as its base, which is not a name of this base model; the shapes fit. If "
        "it is the same model, add the name to the base model's alsoKnownAs"
    )


def _released(adapter: Adapter, release: Release, candidate: str | None, observed: Observed) -> Condition:
    """True if the adapter's name stands for the source's content, and the reason if not."""
    active, canary, rejected = release.active, release.canary, release.rejected
    if canary:
        steps = len(adapter.spec.rollout.canary.steps) if adapter.spec.rollout.canary else 0
        share = f"{canary.weight} % of the traffic, step {canary.step + 1} of {steps}"
        message = f"version {short(canary.digest)} has {share}"
        return condition(c.RELEASED, False, c.CANARY_RUNNING, message)
    if active and candidate == active.digest:
        if release.acknowledged == active.generation:
            return condition(c.RELEASED, True, c.ROUTED, f"version {short(active.digest)}")
        return condition(c.RELEASED, False, c.WAITING, "the gateways have not taken up the newest version yet")
    if rejected and adapter.harms(observed.revision):
        return condition(c.RELEASED, False, rejected.reason, f"version {short(rejected.digest)} harmed an engine")
    if rejected and candidate == rejected.digest:
        remedy = "edit the source or the prompt, or promote it"
        message = f"version {short(rejected.digest)} was taken back: {rejected.message}; {remedy}"
        return condition(c.RELEASED, False, rejected.reason, message)
    return condition(c.RELEASED, False, c.WAITING, "the declared version does not answer on every replica yet")


def _ready(release: Release, holders: int, fetched: Condition, observed: Observed) -> Condition:
    """Ready means answering on at least one replica. Otherwise the condition names the cause."""
    if release.active is None and not observed.verdict.holds:
        return condition(c.READY, False, observed.verdict.reason, observed.verdict.message)
    if release.active is None and not fetched.holds and fetched.reason not in c.ON_ITS_WAY:
        return condition(c.READY, False, fetched.reason, fetched.message)
    if release.active is None:
        return condition(c.READY, False, c.WAITING, "no version has answered yet")
    if observed.gateway_down:
        return condition(
            c.READY, False, c.GATEWAY_DOWN, "the gateway does not answer, and is started again if it hangs"
        )
    of = f"{holders} of {len(observed.replicas)} replicas"
    if not holders:
        return condition(c.READY, False, c.LOADING, f"{of} answer")
    return condition(c.READY, True, c.ANSWERING, f"version {short(release.active.digest)} answers on {of}")
