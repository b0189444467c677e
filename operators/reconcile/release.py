"""The version behind an alias: flip, canary, rollback (pure).

A release is a value; each step reads the observations and returns the next release.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from contract import conditions as c
from contract.adapter import (
    HISTORY_LENGTH,
    ActiveVersion,
    Adapter,
    AdapterStatus,
    CanaryVersion,
    Decision,
    HistoryEntry,
    Rejection,
    Version,
)
from contract.agent import AgentStatus, HeldAdapter
from contract.conditions import Condition
from contract.gateway import GatewayState
from contract.names import engine_name
from operators.reconcile.canary import judge, together


@dataclass(frozen=True)
class Observed:
    """The inputs for one adapter's status. `replicas` are those of its base model, `unplaced` is the reason its
    candidate is on no replica, `base_names` are the base model's names, `now` is in ISO 8601."""

    tenant: str
    revision: str
    verdict: Condition
    replicas: Sequence[AgentStatus]
    gateways: Sequence[GatewayState]
    now: str
    decision: Decision | None = None
    unplaced: Condition | None = None
    base_names: tuple[str, ...] = ()
    gateway_down: bool = False

    def reports(self, adapter: Adapter) -> list[HeldAdapter | None]:
        return [replica.report(self.tenant, adapter.name, self.revision) for replica in self.replicas]

    def answers_everywhere(self, name: str) -> bool:
        return bool(self.replicas) and all(name in replica.answering for replica in self.replicas)


@dataclass(frozen=True)
class Release:
    active: ActiveVersion | None = None
    canary: CanaryVersion | None = None
    previous: tuple[Version, ...] = ()
    rejected: Rejection | None = None
    history: tuple[HistoryEntry, ...] = ()
    handled: str = ""
    acknowledged: int = 0

    def told(self, entry: HistoryEntry) -> "Release":
        return replace(self, history=(entry, *self.history)[:HISTORY_LENGTH])

    def flipped(self, version: Version, *, keep: int) -> "Release":
        """The old version stays within reach, where it is on the same base model and other content."""
        old = self.active
        known = ((_plain(old),) if old else ()) + self.previous
        kept = tuple(v for v in known if v.digest != version.digest and v.base_model == version.base_model)
        active = ActiveVersion(**_fields(version), generation=(old.generation if old else 0) + 1)
        return replace(self, active=active, canary=None, previous=kept[:keep])

    def without_canary(self) -> "Release":
        """The routing has changed, and needs a new acknowledgement."""
        if self.canary is None or self.active is None:
            return replace(self, canary=None)
        active = self.active.model_copy(update={"generation": self.active.generation + 1})
        return replace(self, active=active, canary=None)


def next_release(adapter: Adapter, seen: Observed) -> Release:
    release = _of(adapter.status)
    release = replace(release, previous=release.previous[: adapter.spec.rollout.keep_previous])
    if seen.verdict.reason in c.REVOKING:
        return replace(release, active=None, canary=None, previous=())
    candidate = _candidate(adapter, seen)
    release = _harmed(release, adapter, seen)
    release = _decided(release, adapter, seen, candidate)
    release = _offered(release, adapter, seen, candidate)
    return _acknowledged(_advanced(release, adapter, seen), adapter, seen)


def _of(status: AdapterStatus) -> Release:
    return Release(**{field.name: getattr(status, field.name) for field in fields(Release)})


def _candidate(adapter: Adapter, seen: Observed) -> Version | None:
    """The source's content, once every replica has an answer from it."""
    reports = seen.reports(adapter)
    digests = {report.digest if report and report.state == "Ready" else None for report in reports}
    digest = digests.pop() if len(digests) == 1 else None
    if digest is None or not seen.verdict.holds:
        return None
    return Version(
        digest=digest,
        engine_name=engine_name(seen.tenant, adapter.name, digest),
        base_model=adapter.spec.base_model,
        source=adapter.spec.source,
        fingerprint=next((report.fingerprint for report in reports if report), None),
    )


def _harmed(release: Release, adapter: Adapter, seen: Observed) -> Release:
    """A version harmful to one replica's engine is kept from the others, even if the replica is gone."""
    harmful = (r for r in seen.reports(adapter) if r and r.state == "Failed" and r.reason in c.HARMFUL and r.digest)
    report = next(harmful, None)
    if report is None or report.digest is None or adapter.harms(seen.revision):
        return release
    rejection = Rejection(
        offer=adapter.offer(seen.revision), digest=report.digest, reason=report.reason, message=report.message
    )
    entry = HistoryEntry(at=seen.now, event="Refused", digest=report.digest, message=report.message)
    return replace(release, rejected=rejection).told(entry)


# By hand ---------------------------------------------------------------------------------------------------------


def _decided(release: Release, adapter: Adapter, seen: Observed, candidate: Version | None) -> Release:
    decision = seen.decision
    if decision is None or decision.id == release.handled:
        return release
    active = release.active.digest if release.active else None
    if decision.against != active:
        words = (
            f"decided when {(decision.against or 'none')[:12]} was active, which is {(active or 'none')[:12]} by now"
        )
        return replace(release, handled=decision.id).told(_entry(seen, "DecisionRefused", None, words))
    if decision.action == "Promote":
        return _promoted(release, adapter, seen, decision, candidate)
    return _rolled_back(release, adapter, seen, decision)


def _promoted(
    release: Release, adapter: Adapter, seen: Observed, decision: Decision, candidate: Version | None
) -> Release:
    handled = replace(release, handled=decision.id)
    waiting = _plain(release.canary) if release.canary else None
    if waiting is None and candidate and release.rejected and release.rejected.digest == candidate.digest:
        waiting = candidate
    if waiting is None:
        return handled.told(_entry(seen, "DecisionRefused", None, "promote: no version waits to be released"))
    if not seen.answers_everywhere(waiting.engine_name):
        return release  # carried out as soon as every replica answers with it
    released = replace(handled, rejected=None).flipped(waiting, keep=adapter.spec.rollout.keep_previous)
    return released.told(_entry(seen, "Promoted", waiting, "by hand"))


def _rolled_back(release: Release, adapter: Adapter, seen: Observed, decision: Decision) -> Release:
    """A canary is taken back where no version is named; else the alias returns to an earlier version."""
    handled = replace(release, handled=decision.id)
    if release.canary and decision.digest is None:
        return _rejected(handled, adapter, seen, release.canary, c.ROLLED_BACK, "by hand, from a canary")
    wanted, known = decision.digest, release.previous
    target = next((version for version in known if _is_meant(version, wanted, release.rejected)), None)
    if target is None or release.active is None:
        kept = ", ".join(version.digest[:12] for version in release.previous) or "none"
        which = wanted or "before this one, and not taken back,"
        words = f"rollback: a version {which} is not kept in the engines; kept: {kept}"
        return handled.told(_entry(seen, "DecisionRefused", None, words))
    if not seen.answers_everywhere(target.engine_name):
        return release  # decided, and carried out as soon as every replica answers with it
    old = release.active
    rejection = Rejection(
        offer=adapter.offer(seen.revision), digest=old.digest, reason=c.ROLLED_BACK, message="by hand"
    )
    flipped = replace(handled, rejected=rejection).flipped(target, keep=adapter.spec.rollout.keep_previous)
    return flipped.told(_entry(seen, "RolledBack", target, f"by hand, from {old.digest[:12]}"))


def _is_meant(version: Version, wanted: str | None, rejected: Rejection | None) -> bool:
    """A rolled-back version is reachable by digest only: a repeated rollback must not undo itself."""
    if wanted:
        return version.digest.startswith(wanted)
    return rejected is None or version.digest != rejected.digest


# By itself -------------------------------------------------------------------------------------------------------


def _offered(release: Release, adapter: Adapter, seen: Observed, candidate: Version | None) -> Release:
    active, keep = release.active, adapter.spec.rollout.keep_previous
    if candidate is None:
        return release
    if active and candidate.place == active.place:
        return replace(release, active=_with_fingerprint(active, candidate)).without_canary()
    rejected = release.rejected
    if rejected and (rejected.offer, rejected.digest) == (adapter.offer(seen.revision), candidate.digest):
        return release
    at_once = active is None or active.digest == candidate.digest or active.base_model != candidate.base_model
    if at_once or adapter.spec.rollout.canary is None:
        return release.flipped(candidate, keep=keep).told(_entry(seen, "Released", candidate, ""))
    if release.canary and release.canary.digest == candidate.digest:
        return release
    first = adapter.spec.rollout.canary.steps[0]
    canary = CanaryVersion(**_fields(candidate), step=0, weight=first.weight, since=seen.now)
    return replace(release, canary=canary).told(_entry(seen, "CanaryStarted", candidate, f"{first.weight} %"))


def _advanced(release: Release, adapter: Adapter, seen: Observed) -> Release:
    canary, rollout = release.canary, adapter.spec.rollout
    if canary is None or rollout.canary is None:
        return release.without_canary()
    verdict = judge(rollout.canary.checks, together(seen.gateways, canary.engine_name))
    if verdict.faults:
        return _rejected(
            release, adapter, seen, canary, c.CANARY_FAILED, "; ".join((*verdict.faults, verdict.evidence))
        )
    if failure := _failure(canary, adapter, seen):
        return _rejected(release, adapter, seen, canary, c.CANARY_FAILED, failure)
    steps = rollout.canary.steps
    step = min(canary.step, len(steps) - 1)
    ready = verdict.enough and seen.answers_everywhere(canary.engine_name)
    since = min(canary.since, seen.now)  # setting the clock back does not lengthen the step
    if not ready or _seconds(since, seen.now) < steps[step].seconds:
        here = {"step": step, "weight": steps[step].weight, "since": since}
        return replace(release, canary=canary.model_copy(update=here))
    if step + 1 == len(steps):
        flipped = release.flipped(_plain(canary), keep=rollout.keep_previous)
        return flipped.told(_entry(seen, "Released", canary, verdict.evidence))
    following = {"step": step + 1, "weight": steps[step + 1].weight, "since": seen.now}
    return replace(release, canary=canary.model_copy(update=following))


def _failure(canary: CanaryVersion, adapter: Adapter, seen: Observed) -> str:
    """A replica's failure report about the canary."""
    reports = (held for replica in seen.replicas for held in replica.adapters if held.digest == canary.digest)
    mine = (held for held in reports if (held.tenant, held.adapter) == (seen.tenant, adapter.name))
    return next((f"{held.reason}: {held.message}" for held in mine if held.state == "Failed"), "")


def _acknowledged(release: Release, adapter: Adapter, seen: Observed) -> Release:
    """Only gateways with the newest snapshot are in `gateways`. A decision of this step is in no snapshot yet."""
    active, published = release.active, adapter.status.active
    if not active or not published or published.generation != active.generation or not seen.gateways:
        return release
    if all(active.engine_name in gateway.routable for gateway in seen.gateways):
        return replace(release, acknowledged=active.generation)
    return release


def _rejected(
    release: Release, adapter: Adapter, seen: Observed, canary: CanaryVersion, reason: str, message: str
) -> Release:
    rejection = Rejection(offer=adapter.offer(seen.revision), digest=canary.digest, reason=reason, message=message)
    return replace(release.without_canary(), rejected=rejection).told(_entry(seen, reason, canary, message))


def _with_fingerprint(active: ActiveVersion, seen: Version) -> ActiveVersion:
    """The first record stays; another release of the engine makes a new one, and so does another base model."""
    old, new = active.fingerprint, seen.fingerprint
    if new is None or (old is not None and (old.engine, old.base) == (new.engine, new.base)):
        return active
    return active.model_copy(update={"fingerprint": new})


def _fields(version: Version) -> dict[str, Any]:
    return {name: getattr(version, name) for name in Version.model_fields}


def _plain(version: Version) -> Version:
    return Version.model_validate(_fields(version))


def _entry(seen: Observed, event: str, version: Version | None, message: str) -> HistoryEntry:
    digest, source = (version.digest, version.source) if version else (None, "")
    by_hand = event in ("Promoted", "RolledBack", "DecisionRefused") and seen.decision
    decision = seen.decision.id if by_hand and seen.decision else ""
    return HistoryEntry(at=seen.now, event=event, digest=digest, source=source, message=message, decision=decision)  # type: ignore[arg-type]


def _seconds(since: str, now: str) -> float:
    return (datetime.fromisoformat(now) - datetime.fromisoformat(since)).total_seconds()
