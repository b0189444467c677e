"""Every metric of the ingest worker, computed from the worker's status at each scrape."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from contract.ingest import DocumentState
from retrieval.ingest.worker import Worker


class WorkerMetrics(Collector):
    """Metrics have no tenant label: document counts by tenant are in the status."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def describe(self) -> Iterator[GaugeMetricFamily]:
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        knowledge_bases = self._worker.status()
        states = Counter(document.state for each in knowledge_bases for document in each.documents)
        documents = GaugeMetricFamily("quiver_ingest_documents", "Documents by state.", labels=["state"])
        for state in DocumentState:
            documents.add_metric([state.value], states[state])
        yield documents
        ready = sum(each.ready for each in knowledge_bases)
        yield GaugeMetricFamily("quiver_ingest_knowledge_bases", "Knowledge bases desired.", len(knowledge_bases))
        yield GaugeMetricFamily("quiver_ingest_knowledge_bases_ready", "Knowledge bases ready.", ready)
        chunks = sum(each.chunks for each in knowledge_bases)
        yield GaugeMetricFamily("quiver_ingest_chunks", "Chunks stored.", chunks)
        yield GaugeMetricFamily(
            "quiver_ingest_stopped", "1 while a fault stops the worker, else 0.", bool(self._worker.trouble)
        )
