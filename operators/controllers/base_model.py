"""BaseModel: run its engines, tell their agents what to hold, and say which of them answer."""

from datetime import datetime

from contract import conditions as c
from contract.acceptance import owners
from contract.agent import AgentStatus
from contract.base_model import BaseModel
from contract.conditions import Condition, condition, stamp
from contract.objects import AnyObject
from contract.resource import Key
from kube.errors import KubeError
from operators.controllers.actions import Actions, child_key
from operators.controllers.affected import base_key
from operators.controllers.known import Known
from operators.controllers.pod import Pod
from operators.controllers.world import World
from operators.desired.adapters import Placement, place, source_revision
from operators.desired.engine_workload import Manifest, Platform, engine_workload, selector
from operators.desired.pilot import pilots
from operators.reconcile.base_model import next_status


async def reconcile(key: Key, world: World, act: Actions, now: datetime) -> None:
    known = world.known.get(key)
    if known is None or not isinstance(known.item, BaseModel):
        world.waiting.discard(key)
        return
    verdict, refusal = _verdict(known.item, world, act.platform, now), None
    if verdict.holds:
        try:
            await _run(known, known.item, world, act)
        except KubeError as error:  # the engines that run go on answering, and are told what to hold
            refusal = error
            verdict = condition(c.ACCEPTED, False, c.NOT_APPLIED, f"its engines cannot be made as it says: {error}")
    act.look_at(*_fill(known.item, world, act, now))
    await _say(known, known.item, verdict, world, act, now)
    if refusal:
        raise refusal


async def _run(known: Known[AnyObject], base: BaseModel, world: World, act: Actions) -> None:
    desired = engine_workload(base, uid=known.uid, platform=act.platform)
    if desired[0]["kind"] == "Deployment" and base.spec.autoscaling and not _scales_already(desired, world):
        await act.hand_over_replicas(desired[0])
    await act.apply(desired)
    await act.prune(desired, owner=known.uid)


def _verdict(base: BaseModel, world: World, platform: Platform, now: datetime) -> Condition:
    if base.spec.runtime == "KServe" and not platform.kserve:
        words = "this installation does not use KServe; install the chart with kserve=true, or leave out spec.runtime"
        return condition(c.ACCEPTED, False, c.NO_KSERVE, words)
    claim = base.spec.claim
    if claim and claim != platform.models:
        there = f"the claim {platform.models}" if platform.models else "no claim"
        words = (
            f"engines read models from {there}; install the chart with models.existingClaim={claim}, or move the model"
        )
        return condition(c.ACCEPTED, False, c.CLAIM_NOT_MOUNTED, words)
    return world.verdict(base, now)


def _scales_already(desired: tuple[Manifest, ...], world: World) -> bool:
    return all(child_key(item) in world.children for item in desired if item["kind"] == "HorizontalPodAutoscaler")


def _fill(base: BaseModel, world: World, act: Actions, now: datetime) -> set[Key]:
    """Every replica is told what to hold. The adapters of which something else is known now: what has no place on a
    replica, or would have none where there is no replica yet, is said of them."""
    objects, rules = world.objects_of(base), world.rules(now)
    verdicts = {adapter.key: rules.verdict(adapter) for adapter in objects.adapters}
    if any(a.spec.credentials and verdicts[a.key].holds and a.key not in world.secrets_read for a in objects.adapters):
        return set()  # what an agent is told is complete; the reading of the last one comes back here
    placements: list[Placement] = []
    pods: list[tuple[Pod | None, AgentStatus | None]] = [*world.replicas(base.name)]
    revisions = {adapter.key: source_revision(adapter) for adapter in objects.adapters}
    chosen = pilots(
        objects.adapters, owners(objects.tenants), revisions, {pod.name: report for pod, report in pods if pod}
    )
    for pod, report in pods or [(None, None)]:
        placement = place(
            objects,
            base,
            verdicts=verdicts,
            revisions=revisions,
            held=report,
            gateways=world.gateways_for,
            credentials=world.credentials,
            tried_elsewhere={key for key, name in chosen.items() if pod and name != pod.name},
        )
        if pod:
            act.tell(pod.uid, placement.desired)
        placements.append(placement)
    leaving = any(item.source is None for placement in placements for item in placement.desired.adapters)
    (world.waiting.add if leaving else world.waiting.discard)(base_key(base.name))
    return _unplaced(base, world, placements)


def _unplaced(base: BaseModel, world: World, placements: list[Placement]) -> set[Key]:
    found = {key: fact for placement in placements for key, fact in placement.unplaced.items()}
    keys = {adapter.key for adapter in world.adapters_of(base.name)}
    changed = {key for key in keys if world.unplaced.get(key) != found.get(key)}
    for key in changed:
        world.unplaced.pop(key, None)
    world.unplaced |= found
    return changed


async def _say(
    known: Known[AnyObject], base: BaseModel, verdict: Condition, world: World, act: Actions, now: datetime
) -> None:
    pods = world.replicas(base.name)
    status = next_status(
        base,
        verdict=verdict,
        replicas={pod.name: (_url(pod, act.platform), report) for pod, report in pods if pod.address},
        now=stamp(now),
        trouble=next((pod.trouble for pod, _ in pods if pod.trouble), ""),
    )
    labels = ",".join(f"{name}={value}" for name, value in selector(base.name).items())
    kept = {endpoint.name: endpoint for endpoint in base.status.endpoints}
    silent = {pod.name for pod, _ in pods if pod.ready and world.unheard(pod.uid)}
    endpoints = tuple(kept.get(e.name, e) if e.name in silent else e for e in status.endpoints)
    await act.status(
        known, status.model_copy(update={"endpoints": endpoints, "replicas": len(pods), "selector": labels})
    )


def _url(pod: Pod, platform: Platform) -> str:
    host = f"[{pod.address}]" if ":" in pod.address else pod.address
    return f"http://{host}:{platform.engine_port}"
