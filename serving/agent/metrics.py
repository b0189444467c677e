"""Every metric of the agent, declared in one place."""

from collections import Counter as Tally

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from contract.agent import AgentStatus

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_STATES = ("Fetching", "Loading", "Ready", "Failed")


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.loads = Counter("quiver_agent_adapter_loads", "Adapters loaded into the engine.", registry=self.registry)
        self.unloads = Counter("quiver_agent_adapter_unloads", "Adapters unloaded.", registry=self.registry)
        self.failures = Counter(
            "quiver_agent_adapter_failures", "Attempts that failed, by reason.", ["reason"], registry=self.registry
        )
        self.fetch_seconds = Histogram(
            "quiver_agent_adapter_fetch_seconds",
            "Fetching an artifact.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.verify_seconds = Histogram(
            "quiver_agent_adapter_verify_seconds",
            "Digesting and verifying an artifact.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.mismatches = Counter(
            "quiver_agent_fingerprint_mismatches", "Versions that answered as another one.", registry=self.registry
        )
        self.load_seconds = Histogram(
            "quiver_agent_adapter_load_seconds", "The engine's load call.", buckets=_SECONDS, registry=self.registry
        )
        self.requests = Counter(
            "quiver_agent_adapter_requests",
            "Prompts for an adapter, by whether its weights were in the engine's memory.",
            ["in_memory"],
            registry=self.registry,
        )
        self.adapters = Gauge("quiver_agent_adapters", "Desired versions by state.", ["state"], registry=self.registry)
        self.ready = Gauge("quiver_agent_ready", "1 while the replica may take traffic.", registry=self.registry)

    def count_requests(self, in_memory: int, others: int) -> None:
        self.requests.labels("true").inc(in_memory)
        self.requests.labels("false").inc(others)

    def show(self, status: AgentStatus) -> None:
        tally: Tally[str] = Tally(entry.state for entry in status.adapters)
        for state in _STATES:
            self.adapters.labels(state).set(tally[state])
        self.ready.set(status.ready)
