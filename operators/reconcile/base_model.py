"""Agents' reports → the status of a base model (pure)."""

from collections.abc import Mapping

from contract import conditions as c
from contract.base_model import BaseModel, BaseModelStatus, Endpoint
from contract.conditions import Condition, condition
from operators.desired.replica_report import ReplicaReport
from operators.reconcile import scale_to_zero


def next_status(
    base: BaseModel,
    *,
    verdict: Condition,
    replicas: Mapping[str, tuple[str, ReplicaReport | None]],
    now: str,
    trouble: str = "",
    waiting: str = "",
    is_scaled_to_zero: bool = False,
    starts_from_zero: bool = False,
) -> BaseModelStatus:
    """`replicas` maps a replica's name to its engine's URL and its agent's report, None for a silent agent. `trouble`
    is the reason one of them does not start, `waiting` why the newest spec does not run yet."""
    endpoints = tuple(_endpoint(name, url, report) for name, (url, report) in replicas.items())
    ready = _ready(endpoints, [report for _, report in replicas.values()], trouble, waiting, verdict)
    if verdict.holds and not waiting and not trouble and not ready.holds:
        if is_scaled_to_zero:
            ready = scale_to_zero.of_base(base)
        elif starts_from_zero:
            ready = scale_to_zero.starting()
    new = (verdict, ready)
    merged = c.merged(base.status.conditions, new, generation=base.metadata.generation, now=now)
    return BaseModelStatus(endpoints=endpoints, conditions=merged)


def _endpoint(name: str, url: str, report: ReplicaReport | None) -> Endpoint:
    if report is None:
        return Endpoint(name=name, url=url)
    return Endpoint(name=name, url=url, ready=report.ready)


def _ready(
    endpoints: tuple[Endpoint, ...],
    reports: list[ReplicaReport | None],
    trouble: str,
    waiting: str,
    verdict: Condition,
) -> Condition:
    """Ready if a replica answers, even with a refusal or a failure. Otherwise the first of these is the reason."""
    ready = sum(endpoint.ready for endpoint in endpoints)
    refused = "" if verdict.holds else f"the newest spec is refused: {verdict.message}"
    if ready:
        parts = (f"{ready} of {len(endpoints)} replicas answer", refused, trouble, waiting)
        return condition(c.READY, True, c.ANSWERING, "; ".join(filter(None, parts)))
    if refused:
        return condition(c.READY, False, verdict.reason, verdict.message)
    if trouble:
        return condition(c.READY, False, c.ENGINE_FAILED, trouble)
    if waiting:
        return condition(c.READY, False, c.FETCHING_MODEL, waiting)
    if all(report is None or report.started is None for report in reports):
        return condition(c.READY, False, c.ENGINE_DOWN, "no engine answers yet; its log says what it is doing")
    return condition(c.READY, False, c.ENGINE_STARTING, "the engine answers, its adapters are being loaded")
