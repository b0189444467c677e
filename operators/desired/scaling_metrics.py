"""The metrics for an autoscaler of engines (pure). `monitoring.autoscaling` has the rules serving it."""

from typing import Any

from contract.base_model import Autoscaling

Manifest = dict[str, Any]


def scaling_metrics(base: str, scaling: Autoscaling) -> list[Manifest]:
    """Requests waiting in engines, and tokens in flight in gateways, each divided by the replicas."""
    waiting = {"metric": {"name": "vllm_num_requests_waiting"}, "target": _average(scaling.queue_depth)}
    metrics: list[Manifest] = [{"type": "Pods", "pods": waiting}]
    if scaling.tokens_in_flight:
        metric = {"name": "quiver_gateway_tokens_in_flight", "selector": {"matchLabels": {"base_model": base}}}
        metrics.append(
            {"type": "External", "external": {"metric": metric, "target": _average(scaling.tokens_in_flight)}}
        )
    return metrics


def _average(value: int) -> Manifest:
    return {"type": "AverageValue", "averageValue": str(value)}
