"""Two pages of metrics, some seconds apart → what each tenant's callers meet (pure)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf, isinf

from prometheus_client.parser import text_string_to_metric_families

_REQUESTS = "quiver_gateway_requests_total"
_FAILED = "quiver_gateway_failed_requests_total"
_TOKENS = "quiver_gateway_tokens_total"
_FIRST = "quiver_gateway_time_to_first_token_seconds"
_IN_FLIGHT = "quiver_gateway_in_flight"
_CAUSE = "quiver_drift_cause"


@dataclass(frozen=True)
class Page:
    """The samples by name, each with its labels and value; read at `at`, in seconds."""

    at: float
    samples: Mapping[str, list[tuple[Mapping[str, str], float]]]

    def of(self, name: str) -> Iterable[tuple[Mapping[str, str], float]]:
        return self.samples.get(name, ())

    def by_tenant(self, name: str, **labels: str) -> Mapping[str, float]:
        sums: dict[str, float] = defaultdict(float)
        for given, value in self.of(name):
            if all(given.get(key) == each for key, each in labels.items()):
                sums[given["tenant"]] += value
        return sums


def page(texts: Iterable[str], at: float) -> Page:
    """Of several parts. Raises ValueError for a text in another format."""
    samples: dict[str, list[tuple[Mapping[str, str], float]]] = defaultdict(list)
    for text in texts:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                samples[sample.name].append((sample.labels, sample.value))
    return Page(at, samples)


@dataclass(frozen=True)
class Traffic:
    """Of one tenant: requests and tokens a second, the share that the platform failed, and the 95th percentile to the
    first token, in seconds; None without requests or streams. `drift` is what has changed, "" if nothing has."""

    tenant: str
    in_flight: int
    requests: float
    tokens: float
    failed: float | None
    first_token: float | None
    drift: str


def traffic(before: Page, after: Page) -> list[Traffic]:
    """The busiest tenants first. A count that went down began anew."""
    seconds = max(after.at - before.at, 1e-9)
    requests, failed, tokens = (_grown(before, after, name) for name in (_REQUESTS, _FAILED, _TOKENS))
    waiting, first = after.by_tenant(_IN_FLIGHT), _first_tokens(before, after)
    drift = {labels["tenant"]: labels["cause"] for labels, value in after.of(_CAUSE) if value}
    rows = [
        Traffic(
            tenant,
            int(waiting.get(tenant, 0)),
            requests.get(tenant, 0.0) / seconds,
            tokens.get(tenant, 0.0) / seconds,
            failed.get(tenant, 0.0) / requests[tenant] if requests.get(tenant) else None,
            first.get(tenant),
            drift.get(tenant, ""),
        )
        for tenant in requests.keys() | waiting.keys() | drift.keys()
    ]
    return sorted(rows, key=lambda row: (-row.requests, -row.in_flight, row.tenant))


def _grown(before: Page, after: Page, name: str, **labels: str) -> Mapping[str, float]:
    old, new = before.by_tenant(name, **labels), after.by_tenant(name, **labels)
    return {tenant: value - old.get(tenant, 0.0) if value >= old.get(tenant, 0.0) else value
            for tenant, value in new.items()}  # fmt: skip


def _first_tokens(before: Page, after: Page) -> Mapping[str, float]:
    name = f"{_FIRST}_bucket"
    bounds = sorted({labels["le"] for labels, _ in after.of(name)}, key=float)
    grown = [(float(bound), _grown(before, after, name, le=bound)) for bound in bounds]
    tenants = {tenant for _, counts in grown for tenant in counts}
    quantiles = {
        tenant: quantile(0.95, [(bound, counts.get(tenant, 0.0)) for bound, counts in grown]) for tenant in tenants
    }
    return {tenant: value for tenant, value in quantiles.items() if value is not None}


def quantile(share: float, counts: list[tuple[float, float]]) -> float | None:
    """Of cumulative counts by ascending upper bounds, as Prometheus' histogram_quantile; None without any."""
    total = counts[-1][1] if counts else 0.0
    if not total:
        return None
    rank, lower, below = share * total, 0.0, 0.0
    for bound, count in counts:
        if count >= rank:
            if isinf(bound) or count == below:
                return lower
            return lower + (bound - lower) * (rank - below) / (count - below)
        lower, below = bound, count
    return inf
