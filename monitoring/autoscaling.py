"""Rules of prometheus-adapter for the metrics that autoscalers of base models ask for.

https://github.com/kubernetes-sigs/prometheus-adapter/blob/master/docs/config.md
"""

from collections.abc import Mapping
from typing import Any


def adapter_rules() -> Mapping[str, Any]:
    """Under the names that its chart has in its values. A metric's name has no colon in the metrics API."""
    waiting = {
        "seriesQuery": 'vllm:num_requests_waiting{namespace!="",pod!=""}',
        "resources": {"overrides": {name: {"resource": name} for name in ("namespace", "pod")}},
        "name": {"matches": "^vllm:num_requests_waiting$", "as": "vllm_num_requests_waiting"},
        "metricsQuery": "sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)",
    }
    in_flight = {
        "seriesQuery": 'quiver_gateway_tokens_in_flight{namespace!=""}',
        "resources": {"overrides": {"namespace": {"resource": "namespace"}}},
        "name": {"as": "quiver_gateway_tokens_in_flight"},
        "metricsQuery": "sum(<<.Series>>{<<.LabelMatchers>>}) by (base_model)",
    }
    return {"rules": {"default": False, "custom": [waiting], "external": [in_flight]}}
