"""Dashboards for Grafana, as data (pure). Each panel's title says what its queries ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Dashboard = dict[str, Any]

_WIDTH, _HEIGHT = 12, 8
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Query:
    expr: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """`unit` is Grafana's name of a unit."""

    title: str
    unit: str
    queries: tuple[Query, ...]


@dataclass(frozen=True)
class Page:
    """`variables` are labels that a person may choose, by the metric that has them."""

    name: str
    title: str
    panels: tuple[Panel, ...]
    variables: tuple[tuple[str, str], ...] = ()


def _rate(counter: str, by: str, window: str = "5m") -> str:
    return f"sum(rate({counter}[{window}])) by ({by})"


def _quantile(share: float, histogram: str, by: str, selector: str = "") -> str:
    return f"histogram_quantile({share}, sum(rate({histogram}_bucket{selector}[5m])) by (le, {by}))"


_MINE = '{tenant=~"$tenant"}'

FLEET = Page(
    "fleet",
    "Quiver: fleet",
    (
        Panel(
            "Requests, by outcome", "reqps", (Query(_rate("quiver_gateway_requests_total", "outcome"), "{{outcome}}"),)
        ),
        Panel(
            "Share of requests that the platform fails, by tenant",
            "percentunit",
            (
                Query(
                    f"{_rate('quiver_gateway_failed_requests_total', 'tenant')} / "
                    f"{_rate('quiver_gateway_requests_total', 'tenant')}",
                    "{{tenant}}",
                ),
            ),
        ),
        Panel(
            "Time to the first token of a stream, 95th percentile, by tenant",
            "s",
            (Query(_quantile(0.95, "quiver_gateway_time_to_first_token_seconds", "tenant"), "{{tenant}}"),),
        ),
        Panel(
            "Tokens, by direction",
            "tokens/s",
            (Query(_rate("quiver_gateway_tokens_total", "direction"), "{{direction}}"),),
        ),
        Panel(
            "Requests in progress, by tenant",
            "short",
            (Query("sum(quiver_gateway_in_flight) by (tenant)", "{{tenant}}"),),
        ),
        Panel(
            "Time of the gateway itself, 95th percentile, by tenant",
            "s",
            (Query(_quantile(0.95, "quiver_gateway_overhead_seconds", "tenant"), "{{tenant}}"),),
        ),
    ),
)

TENANT = Page(
    "tenant",
    "Quiver: tenant",
    (
        Panel(
            "Requests, by model and outcome",
            "reqps",
            (Query(_rate(f"quiver_gateway_requests_total{_MINE}", "model, outcome"), "{{model}} {{outcome}}"),),
        ),
        Panel(
            "Time to the first token of a stream, median and 95th percentile, by model",
            "s",
            tuple(
                Query(_quantile(share, "quiver_gateway_time_to_first_token_seconds", "model", _MINE), legend)
                for share, legend in ((0.5, "{{model}} median"), (0.95, "{{model}} 95th"))
            ),
        ),
        Panel(
            "Time of a whole answer, 95th percentile, by model and whether it is a stream",
            "s",
            (
                Query(
                    _quantile(0.95, "quiver_gateway_request_seconds", "model, stream", _MINE),
                    "{{model}}, stream {{stream}}",
                ),
            ),
        ),
        Panel(
            "Time for each token of a stream, 95th percentile",
            "s",
            (Query(_quantile(0.95, "quiver_gateway_time_per_output_token_seconds", "tenant", _MINE), "{{tenant}}"),),
        ),
        Panel(
            "Tokens, by model and direction",
            "tokens/s",
            (Query(_rate(f"quiver_gateway_tokens_total{_MINE}", "model, direction"), "{{model}} {{direction}}"),),
        ),
        Panel(
            "Failed requests of one hour, as a multiple of the share that the SLO allows",
            "short",
            (
                Query(
                    f"quiver:failed:share1h{_MINE} / on (tenant) "
                    'max(quiver_gateway_slo_budget{slo="availability"}) by (tenant)',
                    "{{tenant}}",
                ),
            ),
        ),
    ),
    variables=(("tenant", "quiver_gateway_in_flight"),),
)

ADAPTERS = Page(
    "adapters",
    "Quiver: adapters and rollouts",
    (
        Panel("Adapter versions, by state", "short", (Query("sum(quiver_agent_adapters) by (state)", "{{state}}"),)),
        Panel(
            "Adapters loaded and unloaded in five minutes",
            "short",
            (
                Query("sum(increase(quiver_agent_adapter_loads_total[5m]))", "loaded"),
                Query("sum(increase(quiver_agent_adapter_unloads_total[5m]))", "unloaded"),
            ),
        ),
        Panel(
            "Share of requests that meet their adapter in memory",
            "percentunit",
            (
                Query(
                    'sum(rate(quiver_agent_adapter_requests_total{in_memory="true"}[5m])) / '
                    "sum(rate(quiver_agent_adapter_requests_total[5m]))",
                    "in memory",
                ),
            ),
        ),
        Panel(
            "Time of a load call, 95th percentile",
            "s",
            (
                Query(
                    "histogram_quantile(0.95, sum(rate(quiver_agent_adapter_load_seconds_bucket[5m])) by (le))", "load"
                ),
            ),
        ),
        Panel(
            "Versions that answered as another one, in one hour",
            "short",
            (Query("sum(increase(quiver_agent_fingerprint_mismatches_total[1h]))", "taken out"),),
        ),
    ),
)

RETRIEVAL = Page(
    "retrieval",
    "Quiver: retrieval",
    (
        Panel(
            "Searches, by outcome",
            "reqps",
            (Query(_rate("quiver_gateway_retrievals_total", "outcome"), "{{outcome}}"),),
        ),
        Panel(
            "Time of a search as requests see it, 95th percentile, by tenant",
            "s",
            (Query(_quantile(0.95, "quiver_gateway_retrieval_seconds", "tenant"), "{{tenant}}"),),
        ),
        Panel(
            "Time of a search, 95th percentile, by stage",
            "s",
            (Query(_quantile(0.95, "quiver_retrieval_search_seconds", "stage"), "{{stage}}"),),
        ),
        Panel("Documents, by state", "short", (Query("sum(quiver_ingest_documents) by (state)", "{{state}}"),)),
        Panel("Chunks stored", "short", (Query("sum(quiver_ingest_chunks)", "chunks"),)),
    ),
)

DRIFT = Page(
    "drift",
    "Quiver: drift",
    (
        Panel("Signals, by state", "short", (Query("sum(quiver_drift_state) by (state)", "{{state}}"),)),
        Panel(
            "Tenants that drift, by what has changed",
            "short",
            (Query("sum(quiver_drift_cause) by (cause)", "{{cause}}"),),
        ),
        Panel(
            "Observations, by tenant and window",
            "short",
            (Query("sum(quiver_drift_samples) by (tenant, window)", "{{tenant}} {{window}}"),),
        ),
        Panel(
            "Observations that gateways dropped in five minutes",
            "short",
            (Query("sum(increase(quiver_gateway_dropped_observations_total[5m]))", "dropped"),),
        ),
    ),
)

ENGINES = Page(
    "engines",
    "Quiver: engines",
    (
        Panel("Requests running in engines", "short", (Query("sum(vllm:num_requests_running) by (pod)", "{{pod}}"),)),
        Panel("Requests waiting in engines", "short", (Query("sum(vllm:num_requests_waiting) by (pod)", "{{pod}}"),)),
        Panel(
            "Tokens generated by engines", "tokens/s", (Query(_rate("vllm:generation_tokens_total", "pod"), "{{pod}}"),)
        ),
        Panel(
            "Tokens of requests in progress, by base model",
            "short",
            (Query("sum(quiver_gateway_tokens_in_flight) by (base_model)", "{{base_model}}"),),
        ),
        Panel(
            "Requests that wait for an engine to start, by base model",
            "short",
            (Query("sum(quiver_gateway_held_requests) by (base_model)", "{{base_model}}"),),
        ),
    ),
)

PAGES = (FLEET, TENANT, ADAPTERS, RETRIEVAL, DRIFT, ENGINES)


def dashboard(page: Page) -> Dashboard:
    """https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/"""
    source = {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source"}
    variables = [
        {"name": label, "type": "query", "label": label.capitalize(), "datasource": _SOURCE, "multi": True,
         "includeAll": True, "allValue": ".+", "refresh": 2, "query": f"label_values({metric}, {label})"}
        for label, metric in page.variables
    ]  # fmt: skip
    return {
        "title": page.title,
        "uid": f"quiver-{page.name}",
        "timezone": "",
        "refresh": "30s",
        "schemaVersion": 39,
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [source, *variables]},
        "panels": _panels(page.panels),
    }


def _panels(panels: Sequence[Panel]) -> list[Dashboard]:
    """Two in a row."""
    return [
        {
            "id": number + 1,
            "title": panel.title,
            "type": "timeseries",
            "datasource": _SOURCE,
            "gridPos": {"x": number % 2 * _WIDTH, "y": number // 2 * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
            "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
            "targets": [
                {"refId": chr(ord("A") + each), "expr": query.expr, "legendFormat": query.legend}
                for each, query in enumerate(panel.queries)
            ],
        }
        for number, panel in enumerate(panels)
    ]
