"""Writes docs/settings.md, docs/metrics.md and docs/reasons.md from the code: `make docs`."""

import ast
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from inspect import cleandoc
from itertools import zip_longest
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from console.settings import Settings as ConsoleSettings
from contract import conditions
from kube.client import Client
from operators.cluster.metrics import Metrics as OperatorMetrics
from operators.reconcile.drift import REASONS as DRIFT_REASONS
from operators.settings import AskingSettings, ManagementSettings, OperatorSettings
from operators.settings import Settings as LocalSettings
from retrieval.ingest.metrics import WorkerMetrics
from retrieval.ingest.settings import Settings as IngestSettings
from retrieval.metrics import Metrics as SearchMetrics
from retrieval.settings import Settings as SearchSettings
from service.logs import LogSettings
from service.request_metrics import RequestMetrics
from service.series import FastRegistry
from serving.agent.metrics import Metrics as AgentMetrics
from serving.agent.settings import InputSettings
from serving.agent.settings import Settings as AgentSettings
from serving.drift.metrics import METRICS as DRIFT_METRICS
from serving.drift.settings import Settings as DriftSettings
from serving.gateway.metrics import MAX_TENANTS
from serving.gateway.metrics import Metrics as GatewayMetrics
from serving.gateway.settings import Settings as GatewaySettings
from serving.gateway.timed_tenants import MAX_TIMED, QUIET_S

ROOT = Path(__file__).parent.parent
# A default path is shown relative to the checkout or to the folder that holds the running environment.
HOMES = (ROOT, Path(sys.prefix).parent)
PRODUCT = ("console", "contract", "kube", "operators", "retrieval", "service", "serving")
GENERATED = "Written by `make docs`.\n"
# Types of conditions, which are no reasons.
_TYPES = ("ACCEPTED", "FETCHED", "RELEASED", "READY", "RESIDENT", "STEADY", "AS_GOOD")
_REASON = re.compile(r"[A-Z][a-z]+([A-Z][a-z]*)*")

SETTINGS: Mapping[str, type[BaseSettings]] = {
    "Logs of every part": LogSettings,
    "Gateway": GatewaySettings,
    "Agent": AgentSettings,
    "Fetch of a training's inputs": InputSettings,
    "Operator": OperatorSettings,
    "Search": SearchSettings,
    "Ingest": IngestSettings,
    "Drift": DriftSettings,
    "Management": ManagementSettings,
    "Console": ConsoleSettings,
    "Job of an Evaluation": AskingSettings,
    "`quiver up`": LocalSettings,
}


def settings_text() -> str:
    """A table for each part: variable, default, meaning."""
    parts = [f"# Settings\n\nEnvironment variables of each part. The chart sets those of a cluster. {GENERATED}"]
    for title, kind in SETTINGS.items():
        rows = "".join(_setting(kind, name, field) for name, field in kind.model_fields.items())
        about = cleandoc(kind.__doc__ or "")
        parts.append(f"\n## {title}\n\n{about}\n\n| Variable | Default | |\n|---|---|---|\n{rows}")
    return "".join(parts)


def _setting(kind: type[BaseSettings], name: str, field: FieldInfo) -> str:
    variable = f"{kind.model_config.get('env_prefix', '')}{name}".upper()
    default = "needed" if field.is_required() else f"`{_default(field.get_default(call_default_factory=True))}`"
    return f"| `{variable}` | {default} | {field.description or ''} |\n"


def _default(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, str) and value.startswith("/"):
        value = Path(value)
    if isinstance(value, Path):
        return str(next((value.relative_to(home) for home in HOMES if value.is_relative_to(home)), value))
    return value if isinstance(value, str) else json.dumps(value, default=str)


def metrics_text() -> str:
    """A table for each part: name, type, labels, meaning."""
    parts = [f"# Metrics\n\nEach part serves its own at `/metrics`. {GENERATED}\n\n{_bounds()}\n"]
    for title, rows in _metrics().items():
        table = "".join(f"| `{name}` | {kind} | {labels} | {text} |\n" for name, kind, labels, text in rows)
        parts.append(f"\n## {title}\n\n| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n{table}")
    return "".join(parts)


def _bounds() -> str:
    return (
        f"The gateway has series of {MAX_TENANTS:,} tenants, and histograms of the {MAX_TIMED} that were active last; "
        f"a tenant without a request for {QUIET_S / 3600:.0f} hour gives its histograms up to another. All others, and "
        "names that no catalog has, are `other`. 5,000 tenants with three adapters each, all active, are 240,000 "
        "lines, which `make bench-scrape` reads."
    )


Row = tuple[str, str, str, str]


def _metrics() -> dict[str, list[Row]]:
    operator, worker = CollectorRegistry(), SimpleNamespace(status=list, trouble="")
    metrics = OperatorMetrics(operator)
    metrics.watch(int, list)
    Client(api=SimpleNamespace(), registry=operator)  # type: ignore[arg-type]  # for its metrics alone
    return {
        "Gateway": _rows(GatewayMetrics().registry),
        "Agent": _rows(AgentMetrics().registry),
        "Operator": _rows(operator),
        "Search": _rows(SearchMetrics(tenants=1).registry),
        "Ingest": _rows(WorkerMetrics(worker).registry),  # type: ignore[arg-type]
        "Management": _of_requests("management"),
        "Console": _of_requests("console"),
        "Drift": [
            (m.name, "counter" if "Counter" in m.family.__name__ else "gauge", ", ".join(m.labels), m.help)
            for m in DRIFT_METRICS
        ],
    }


def _of_requests(name: str) -> list[Row]:
    registry = CollectorRegistry()
    RequestMetrics(name, registry)
    return _rows(registry)


def _rows(registry: CollectorRegistry) -> list[Row]:
    families = registry.families if isinstance(registry, FastRegistry) else []
    collectors = [*families, *registry._collector_to_names]
    return [_row(collector, metric) for collector in collectors for metric in collector.collect()]


def _row(collector: Collector, metric: Metric) -> Row:
    labels: tuple[str, ...] = getattr(collector, "_labelnames", ()) or getattr(metric, "_labelnames", ())
    name = f"{metric.name}_total" if metric.type == "counter" else metric.name
    return name, metric.type, ", ".join(labels), metric.documentation


def reasons_text() -> str:
    """Every reason of a condition and of a failed version, with its messages as the code has them."""
    table = "".join(
        f"| `{reason}` | {'<br>'.join(sorted(texts)) or '-'} |\n" for reason, texts in sorted(reasons().items())
    )
    about = "`…` stands for names and numbers. A reason without a text has one made of the facts at hand."
    head = f"# Reasons\n\nThe reasons of conditions and events, and what they say. {about} {GENERATED}"
    return f"{head}\n| Reason | Says |\n|---|---|\n{table}"


def reasons() -> dict[str, set[str]]:
    """Reason → messages, from calls such as `RefusedError("SourceMissing", "…")` and `condition(…, c.WAITING, "…")`."""
    found: dict[str, set[str]] = defaultdict(set)
    for part in PRODUCT:
        for path in sorted((ROOT / part).rglob("*.py")):
            for reason, message in _stated(ast.parse(path.read_text())):
                found[reason] |= {message} if message else set()
    return {reason: set[str]() for reason in DRIFT_REASONS.values()} | found


def _stated(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            texts: dict[str, ast.expr] = {}
            statements = (node for node in ast.walk(function) if isinstance(node, ast.Assign | ast.Call))
            for node in sorted(statements, key=lambda node: node.lineno):
                if isinstance(node, ast.Call):
                    yield from _of_call(node, texts)
                elif isinstance(node.targets[0], ast.Name):
                    texts[node.targets[0].id] = node.value


def _of_call(call: ast.Call, texts: Mapping[str, ast.expr]) -> Iterator[tuple[str, str]]:
    """Reason and message are two arguments, one after the other."""
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    for first, second in zip_longest(call.args, call.args[1:]):
        reason = _reason(first, literal=called.endswith("Error") or called == "_entry")
        if reason:
            yield reason, _message(texts.get(second.id, second) if isinstance(second, ast.Name) else second)


def _reason(node: ast.expr, *, literal: bool) -> str | None:
    if isinstance(node, ast.Attribute | ast.Name):
        name = node.attr if isinstance(node, ast.Attribute) else node.id
        value = None if name in _TYPES else getattr(conditions, name, None)
        return value if isinstance(value, str) and name.isupper() else None
    if not (literal and isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return None
    return node.value if _REASON.fullmatch(node.value) else None


def _message(node: ast.expr | None) -> str:
    """A text with `…` for everything computed, or "" for another expression."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.replace("|", "\\|")
    if isinstance(node, ast.JoinedStr):
        return "".join(_message(part) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return ""


if __name__ == "__main__":
    for name, text in (("settings", settings_text), ("metrics", metrics_text), ("reasons", reasons_text)):
        (ROOT / f"docs/{name}.md").write_text(text())
