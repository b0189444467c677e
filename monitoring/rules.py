"""Recording rules and alerts (pure). `docs/runbooks.md` has a section for each alert.

Alerts about a tenant's SLO go by burn rates: how many times faster than allowed the budget of bad requests is used. A
burn rate of 14.4 over one hour uses 2 % of a month's budget; each alert asks a short window as well, so that it ends
soon after the cause (https://sre.google/workbook/alerting-on-slos/, "Multiwindow, Multi-Burn-Rate Alerts"). A tenant
with few requests raises none: FLOOR bad requests within the longer window are the least.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["critical", "warning", "info"]
Rule = dict[str, Any]

RUNBOOKS = "docs/runbooks.md"
FLOOR = 10
# A share above this always counts as too fast: a multiple of a large budget would never be reached.
MOST_SHARE = 0.9


@dataclass(frozen=True)
class Slo:
    """`bad` and `all` are PromQL selectors of counters; `name` is the SLO's in `quiver_gateway_slo_budget`."""

    name: str
    record: str
    bad: str
    all: str
    alert: str
    what: str


@dataclass(frozen=True)
class Burn:
    rate: float
    long: str
    short: str
    severity: Severity


@dataclass(frozen=True)
class Alert:
    """`wait` is how long `expr` holds first. `summary` may use the labels of `expr`."""

    name: str
    expr: str
    severity: Severity
    summary: str
    action: str
    wait: str = "0s"

    @property
    def rule(self) -> Rule:
        annotations = {
            "summary": self.summary, "action": self.action, "runbook": f"{RUNBOOKS}#{self.name.lower()}",
        }  # fmt: skip
        labels = {"severity": self.severity}
        return {"alert": self.name, "expr": self.expr, "for": self.wait, "labels": labels, "annotations": annotations}


SLOS = (
    Slo(
        "availability",
        "quiver:failed",
        "quiver_gateway_failed_requests_total",
        'quiver_gateway_requests_total{outcome=~"ok|abstained|engine_failed|unavailable"}',
        "QuiverRequestsFail",
        "requests fail",
    ),
    Slo(
        "first_token",
        "quiver:slow_first_token",
        "quiver_gateway_slow_first_tokens_total",
        "quiver_gateway_first_tokens_total",
        "QuiverFirstTokensSlow",
        "streams have a late first token",
    ),
)
BURNS = (
    Burn(14.4, "1h", "5m", "critical"),
    Burn(6, "6h", "30m", "critical"),
    Burn(3, "1d", "2h", "warning"),
    Burn(1, "3d", "6h", "warning"),
)

ALERTS = (
    Alert(
        "QuiverAdapterTakenOut",
        "increase(quiver_agent_fingerprint_mismatches_total[15m]) > 0",
        "critical",
        "An adapter answered otherwise than its record and was taken out of service.",
        "kubectl describe adapter; compare its digest with what was published.",
    ),
    Alert(
        "QuiverObjectNotReady",
        'quiver_object_condition{condition="Ready", kind=~"BaseModel|Adapter|KnowledgeBase"} == 0',
        "warning",
        "{{ $labels.kind }} {{ $labels.namespace }}/{{ $labels.name }} is not ready: {{ $labels.reason }}.",
        "kubectl describe {{ $labels.kind }} -n {{ $labels.namespace }} {{ $labels.name }}; its conditions say what to "
        "do.",
        "15m",
    ),
    Alert(
        "QuiverObjectRefused",
        'quiver_object_condition{condition=~"Accepted|Fetched|Released", '
        'reason!~"Waiting|Fetching|Loading|Ingesting|CanaryRunning"} == 0',
        "info",
        "The newest edit of {{ $labels.kind }} {{ $labels.namespace }}/{{ $labels.name }} is not in force: "
        "{{ $labels.reason }}.",
        "kubectl describe {{ $labels.kind }} -n {{ $labels.namespace }} {{ $labels.name }}",
        "15m",
    ),
    Alert(
        "QuiverAnswersWorse",
        'quiver_object_condition{kind="Evaluation", condition="AsGood"} == 0',
        "warning",
        "Evaluation {{ $labels.namespace }}/{{ $labels.name }}: answers are worse than in its first run.",
        "kubectl describe evaluation -n {{ $labels.namespace }} {{ $labels.name }} names the variants and by how much.",
    ),
    Alert(
        "QuiverNoLeader",
        "(sum(quiver_leading) or vector(0)) < 1",
        "critical",
        "No operator leads, so nothing is released; requests are still answered.",
        "kubectl logs deploy/quiver-operator",
        "2m",
    ),
    Alert(
        "QuiverEngineStuck",
        "sum(vllm:num_requests_waiting) by (pod) > 0 and sum(rate(vllm:generation_tokens_total[5m])) by (pod) == 0",
        "critical",
        "Engine {{ $labels.pod }} has waiting requests and generates nothing.",
        "kubectl logs the pod; delete it if its log says nothing new: another one is started first.",
        "5m",
    ),
    Alert(
        "QuiverThrottled",
        "sum(rate(quiver_gateway_throttled_total[15m])) by (tenant) / "
        "sum(rate(quiver_gateway_requests_total[15m])) by (tenant) > 0.2",
        "info",
        "More than a fifth of the requests of tenant {{ $labels.tenant }} are refused by its limits.",
        "Ask the tenant whether the traffic is meant; raise limits of its Tenant.",
        "30m",
    ),
    Alert(
        "QuiverSearchesFail",
        'sum(rate(quiver_gateway_retrievals_total{outcome="error"}[10m])) by (tenant) / '
        "sum(rate(quiver_gateway_retrievals_total[10m])) by (tenant) > 0.05",
        "critical",
        "More than one in twenty searches of tenant {{ $labels.tenant }} fail.",
        "kubectl logs deploy/quiver-retrieval; look at Milvus.",
        "10m",
    ),
    Alert(
        "QuiverEmbedderAway",
        "sum(rate(quiver_retrieval_unembedded_total[10m])) > 0",
        "warning",
        "The embedder does not answer: questions are searched for by their words alone, and documents wait.",
        "kubectl logs deploy/quiver-retrieval; look at the server of retrieval.embedder.",
        "10m",
    ),
    Alert(
        "QuiverIngestStopped",
        "quiver_ingest_stopped == 1",
        "warning",
        "A fault stops the worker of documents: new documents are not read.",
        "kubectl logs deploy/quiver-ingest; the vector store or the database is away.",
        "10m",
    ),
    Alert(
        "QuiverObservationsDropped",
        "increase(quiver_gateway_dropped_observations_total[15m]) > 0",
        "info",
        "Observations are dropped: the drift detector is away or slow. Drift is judged on less.",
        "kubectl logs deploy/quiver-drift",
    ),
    Alert(
        "QuiverDrift",
        "quiver_drift_cause == 1",
        "warning",
        "Tenant {{ $labels.tenant }} has drifted from its reference; what changed first: {{ $labels.cause }}.",
        "kubectl describe tenant {{ $labels.tenant }} names the signals; if it is meant, say why in its "
        "spec.driftReference.",
        "1h",
    ),
)


def rules() -> Rule:
    """The content of a file of rules."""
    recorded = [rule for slo in SLOS for rule in _records(slo)]
    burning = [rule.rule for slo in SLOS for rule in burns(slo)]
    others = [alert.rule for alert in ALERTS]
    return {
        "groups": [
            {"name": "quiver-slo", "rules": [*recorded, *burning]},
            {"name": "quiver", "rules": others},
        ]
    }


def windows() -> Sequence[str]:
    return sorted({window for burn in BURNS for window in (burn.long, burn.short)})


def _records(slo: Slo) -> Iterator[Rule]:
    """The share of bad requests of each tenant over each window."""
    for window in windows():
        shares = f"sum(rate({slo.bad}[{window}])) by (tenant) / sum(rate({slo.all}[{window}])) by (tenant)"
        yield {"record": f"{slo.record}:share{window}", "expr": shares}


def burns(slo: Slo) -> Iterator[Alert]:
    """Of one name: an alert of a slower burn says the same with less haste."""
    budget = f'max(quiver_gateway_slo_budget{{slo="{slo.name}"}}) by (tenant)'
    for burn in BURNS:
        over = " and ".join(
            f"{slo.record}:share{window} > on (tenant) clamp_max({burn.rate} * {budget}, {MOST_SHARE})"
            for window in (burn.long, burn.short)
        )
        floor = f"sum(increase({slo.bad}[{burn.long}])) by (tenant) >= {FLOOR}"
        yield Alert(
            f"{slo.alert}{burn.long}",
            f"{over} and {floor}",
            burn.severity,
            f"So many {slo.what} of tenant {{{{ $labels.tenant }}}} that its budget is used {burn.rate:g} times too "
            "fast.",
            "kubectl get basemodels,adapters -A; look at the engines that are not ready, and at the gateways' logs.",
            "2m",
        )
