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
    NO_CONTENT,
    ActiveVersion,
    Adapter,
    AdapterStatus,
    CanaryVersion,
    Decision,
    HistoryEntry,
    Rejection,
    Version,
    comparison,
    short,
    version_digest,
)
from contract.agent import AdapterReport, AgentStatus
from contract.conditions import Condition
from contract.engine_name import engine_name
from contract.gateway import Comparison, GatewayState
from operators.reconcile.canary import judge, together


@dataclass(frozen=True)
class Observed:
    """The inputs for one adapter's status. `replicas` are those of its base model, `unplaced` is the reason its
    candidate is on no replica, `base_names` are the base model's names, `now` is in ISO 8601. `on_demand` is there if
    its active version has no place in memory."""

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
    on_demand: Condition | None = None

    def reports(self, adapter: Adapter) -> list[AdapterReport | None]:
        return [replica.report(self.tenant, adapter.name, self.revision) for replica in self.replicas]

    def comparison_of(self, adapter: Adapter, canary: CanaryVersion) -> Comparison:
        return together(self.gateways, comparison(self.tenant, adapter.name, canary.digest))

    def holders(self, version: Version) -> int:
        """The replicas that answer with it."""
        return sum(replica.ready if version.is_base else version.engine_name in replica.answering
                   for replica in self.replicas)  # fmt: skip

    def answers_everywhere(self, version: Version) -> bool:
        return bool(self.replicas) and self.holders(version) == len(self.replicas)


@dataclass(frozen=True)
class Release:
    active: ActiveVersion | None = None
    canary: CanaryVersion | None = None
    previous: tuple[Version, ...] = ()
    rejected: Rejection | None = None
    history: tuple[HistoryEntry, ...] = ()
    handled: str = ""
    acknowledged: int = 0

    def with_entry(self, entry: HistoryEntry) -> "Release":
        return replace(self, history=(entry, *self.history)[:HISTORY_LENGTH])

    def flipped(self, version: Version, *, keep: int) -> "Release":
        """Keeps the old version for a rollback if it has the same base model and other content."""
        old = self.active
        candidates = ((_plain(old),) if old else ()) + self.previous
        kept = tuple(v for v in candidates if v.digest != version.digest and v.base_model == version.base_model)
        active = ActiveVersion(**_fields(version), generation=(old.generation if old else 0) + 1)
        return replace(self, active=active, canary=None, previous=kept[:keep])

    def without_canary(self) -> "Release":
        """The routing has changed, and needs a new acknowledgement."""
        if self.canary is None or self.active is None:
            return replace(self, canary=None)
        active = self.active.model_copy(update={"generation": self.active.generation + 1})
        return replace(self, active=active, canary=None)


def next_release(adapter: Adapter, observed: Observed) -> Release:
    release = _of(adapter.status)
    release = replace(release, previous=release.previous[: adapter.spec.rollout.keep_previous])
    if observed.verdict.reason in c.REVOKING:
        return replace(release, active=None, canary=None, previous=())
    candidate = _candidate(adapter, observed)
    release = _reject_harmful(release, adapter, observed)
    release = _carry_out_decision(release, adapter, observed, candidate)
    release = _offer_candidate(release, adapter, observed, candidate)
    return _acknowledge(_advance_canary(release, adapter, observed), adapter, observed)


def _of(status: AdapterStatus) -> Release:
    return Release(**{field.name: getattr(status, field.name) for field in fields(Release)})


def _candidate(adapter: Adapter, observed: Observed) -> Version | None:
    """The version of the spec, once every replica answers with it."""
    if adapter.spec.source is None:
        version = _prompt_alone(adapter)
        return version if observed.verdict.holds and observed.answers_everywhere(version) else None
    reports = observed.reports(adapter)
    digests = {report.digest if report and report.state == "Ready" else None for report in reports}
    digest = digests.pop() if len(digests) == 1 else None
    if digest is None or not observed.verdict.holds:
        return None
    return Version(
        digest=version_digest(digest, adapter.spec.prompt),
        content=digest if adapter.spec.prompt else None,
        engine_name=engine_name(observed.tenant, adapter.name, digest),
        base_model=adapter.spec.base_model,
        source=adapter.spec.source,
        prompt=adapter.spec.prompt,
        fingerprint=next((report.fingerprint for report in reports if report), None),
    )


def _prompt_alone(adapter: Adapter) -> Version:
    base, prompt = adapter.spec.base_model, adapter.spec.prompt
    digest = version_digest(NO_CONTENT, prompt)
    return Version(digest=digest, content=NO_CONTENT, engine_name=base, base_model=base, prompt=prompt)


def _reject_harmful(release: Release, adapter: Adapter, observed: Observed) -> Release:
    """A version harmful to one replica's engine is kept from the others, even if the replica is gone."""
    harmful = (r for r in observed.reports(adapter) if r and r.state == "Failed" and r.reason in c.HARMFUL and r.digest)
    report = next(harmful, None)
    if report is None or report.digest is None or adapter.harms(observed.revision):
        return release
    rejection = Rejection(
        offer=adapter.offer(observed.revision), digest=report.digest, reason=report.reason, message=report.message
    )
    entry = HistoryEntry(at=observed.now, event="Refused", digest=report.digest, message=report.message)
    return replace(release, rejected=rejection).with_entry(entry)


# By hand ---------------------------------------------------------------------------------------------------------


def _carry_out_decision(release: Release, adapter: Adapter, observed: Observed, candidate: Version | None) -> Release:
    decision = observed.decision
    if decision is None or decision.id == release.handled:
        return release
    active = release.active.digest if release.active else None
    if decision.against != active:
        message = (
            f"decided against version {short(decision.against or 'none')}, but {short(active or 'none')} is active"
        )
        return replace(release, handled=decision.id).with_entry(_entry(observed, "DecisionRefused", None, message))
    if decision.action == "Promote":
        return _promote(release, adapter, observed, decision, candidate)
    return _roll_back(release, adapter, observed, decision)


def _promote(
    release: Release, adapter: Adapter, observed: Observed, decision: Decision, candidate: Version | None
) -> Release:
    handled = replace(release, handled=decision.id)
    waiting = _plain(release.canary) if release.canary else None
    if waiting is None and candidate and release.rejected and release.rejected.digest == candidate.digest:
        waiting = candidate
    if waiting is None:
        return handled.with_entry(_entry(observed, "DecisionRefused", None, "promote: no version waits to be released"))
    if not observed.answers_everywhere(waiting):
        return release  # carried out as soon as every replica answers with it
    released = replace(handled, rejected=None).flipped(waiting, keep=adapter.spec.rollout.keep_previous)
    return released.with_entry(_entry(observed, "Promoted", waiting, "by hand"))


def _roll_back(release: Release, adapter: Adapter, observed: Observed, decision: Decision) -> Release:
    """A canary is taken back where no version is named; else the alias returns to an earlier version."""
    handled = replace(release, handled=decision.id)
    if release.canary and decision.digest is None:
        return _rejected(handled, adapter, observed, release.canary, c.ROLLED_BACK, "by hand, from a canary")
    digest, previous = decision.digest, release.previous
    target = next((version for version in previous if _is_meant(version, digest, release.rejected)), None)
    if target is None or release.active is None:
        kept = ", ".join(short(version.digest) for version in release.previous) or "none"
        which = f"version {digest}" if digest else "an earlier version"
        message = f"rollback: {which} is not in the engines; there are: {kept}"
        return handled.with_entry(_entry(observed, "DecisionRefused", None, message))
    if not observed.answers_everywhere(target):
        return release  # decided, and carried out as soon as every replica answers with it
    old = release.active
    rejection = Rejection(
        offer=adapter.offer(observed.revision), digest=old.digest, reason=c.ROLLED_BACK, message="by hand"
    )
    flipped = replace(handled, rejected=rejection).flipped(target, keep=adapter.spec.rollout.keep_previous)
    return flipped.with_entry(_entry(observed, "RolledBack", target, f"by hand, from {short(old.digest)}"))


def _is_meant(version: Version, digest: str | None, rejected: Rejection | None) -> bool:
    """A rolled-back version is reachable by digest only: a repeated rollback must not undo itself."""
    if digest:
        return version.digest.startswith(digest)
    return rejected is None or version.digest != rejected.digest


# Automatic -------------------------------------------------------------------------------------------------------


def _offer_candidate(release: Release, adapter: Adapter, observed: Observed, candidate: Version | None) -> Release:
    active, keep = release.active, adapter.spec.rollout.keep_previous
    if candidate is None:
        return release
    if active and candidate.identity == active.identity:
        return replace(release, active=_with_fingerprint(active, candidate)).without_canary()
    rejected = release.rejected
    if rejected and (rejected.offer, rejected.digest) == (adapter.offer(observed.revision), candidate.digest):
        return release
    at_once = active is None or active.digest == candidate.digest or active.base_model != candidate.base_model
    if at_once or adapter.spec.rollout.canary is None:
        return release.flipped(candidate, keep=keep).with_entry(_entry(observed, "Released", candidate, ""))
    if release.canary and release.canary.digest == candidate.digest:
        return release
    first = adapter.spec.rollout.canary.steps[0]
    canary = CanaryVersion(**_fields(candidate), step=0, weight=first.weight, since=observed.now)
    return replace(release, canary=canary).with_entry(_entry(observed, "CanaryStarted", candidate, f"{first.weight} %"))


def _advance_canary(release: Release, adapter: Adapter, observed: Observed) -> Release:
    canary, rollout = release.canary, adapter.spec.rollout
    if canary is None or rollout.canary is None:
        return release.without_canary()
    verdict = judge(rollout.canary.checks, observed.comparison_of(adapter, canary))
    if verdict.faults:
        return _rejected(
            release, adapter, observed, canary, c.CANARY_FAILED, "; ".join((*verdict.faults, verdict.evidence))
        )
    if failure := _failure(canary, adapter, observed):
        return _rejected(release, adapter, observed, canary, c.CANARY_FAILED, failure)
    steps = rollout.canary.steps
    step = min(canary.step, len(steps) - 1)
    ready = verdict.enough and observed.answers_everywhere(canary)
    since = min(canary.since, observed.now)  # setting the clock back does not lengthen the step
    if not ready or _seconds(since, observed.now) < steps[step].seconds:
        here = {"step": step, "weight": steps[step].weight, "since": since}
        return replace(release, canary=canary.model_copy(update=here))
    if step + 1 == len(steps):
        flipped = release.flipped(_plain(canary), keep=rollout.keep_previous)
        return flipped.with_entry(_entry(observed, "Released", canary, verdict.evidence))
    following = {"step": step + 1, "weight": steps[step + 1].weight, "since": observed.now}
    return replace(release, canary=canary.model_copy(update=following))


def _failure(canary: CanaryVersion, adapter: Adapter, observed: Observed) -> str:
    """A replica's failure report about the canary."""
    reports = (
        entry for replica in observed.replicas for entry in replica.adapters if entry.digest == canary.content_digest
    )
    mine = (entry for entry in reports if (entry.tenant, entry.adapter) == (observed.tenant, adapter.name))
    return next((f"{entry.reason}: {entry.message}" for entry in mine if entry.state == "Failed"), "")


def _acknowledge(release: Release, adapter: Adapter, observed: Observed) -> Release:
    """Only gateways with the newest snapshot are in `gateways`. A flip made in this step is in no snapshot yet."""
    active, published = release.active, adapter.status.active
    if not active or not published or published.generation != active.generation or not observed.gateways:
        return release
    if all(active.engine_name in gateway.routable for gateway in observed.gateways):
        return replace(release, acknowledged=active.generation)
    return release


def _rejected(
    release: Release, adapter: Adapter, observed: Observed, canary: CanaryVersion, reason: str, message: str
) -> Release:
    rejection = Rejection(offer=adapter.offer(observed.revision), digest=canary.digest, reason=reason, message=message)
    return replace(release.without_canary(), rejected=rejection).with_entry(_entry(observed, reason, canary, message))


def _with_fingerprint(active: ActiveVersion, candidate: Version) -> ActiveVersion:
    """Keeps the first fingerprint, unless the engine's version or the base model changed."""
    old, new = active.fingerprint, candidate.fingerprint
    if new is None or (old is not None and (old.engine, old.base) == (new.engine, new.base)):
        return active
    return active.model_copy(update={"fingerprint": new})


def _fields(version: Version) -> dict[str, Any]:
    return {name: getattr(version, name) for name in Version.model_fields}


def _plain(version: Version) -> Version:
    return Version.model_validate(_fields(version))


def _entry(observed: Observed, event: str, version: Version | None, message: str) -> HistoryEntry:
    digest, source = (version.digest, version.source or "") if version else (None, "")
    by_hand = event in ("Promoted", "RolledBack", "DecisionRefused") and observed.decision
    decision = observed.decision.id if by_hand and observed.decision else ""
    return HistoryEntry(at=observed.now, event=event, digest=digest, source=source, message=message, decision=decision)  # type: ignore[arg-type]


def _seconds(since: str, now: str) -> float:
    return (datetime.fromisoformat(now) - datetime.fromisoformat(since)).total_seconds()
