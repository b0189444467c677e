"""`make bench-scrape`: Prometheus reads the gateway's metrics of 5,000 active tenants with three adapters each.

D6: the number of series, the time of a scrape, and for how long the event loop waits at a time meanwhile. The page is
served by the service's own application, and read by another process. prometheus_client's time for as many lines is
beside it.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from prometheus_client import CollectorRegistry, Counter, generate_latest

from benchmarks.report import Bar, report
from contract.tenant import Slo
from operators.local.layout import free_port
from service.application import application
from service.probes import Probes
from service.series import page
from serving.gateway.metrics import OTHER, Metrics
from serving.gateway.outcome import RequestOutcome

TENANTS, MODELS, SCRAPES = 5_000, ("support", "meta-llama/Llama-3.1-8B-Instruct", "a" * 63), 9
MOST_SERIES = 350_000  # docs/metrics.md
READ = """
import sys, time, urllib.request
begun = time.perf_counter()
size = len(urllib.request.urlopen(sys.argv[1]).read())
print(time.perf_counter() - begun, size)
"""


def used(tenants: int) -> Metrics:
    """Every tenant's models were used, with and without documents; callers made up names."""
    metrics = Metrics()
    names = [f"tenant-{number:05}" for number in range(tenants)]
    metrics.register({name: frozenset(MODELS) for name in names}, ("base",), {name: Slo() for name in names})
    for tenant in [*names, *(f'made-up-{number}"\n' for number in range(1_000))]:
        for model in (*MODELS, "made up"):
            labels = metrics.names(tenant, model)
            timed = metrics.timed(*labels)
            metrics.count(*labels, 200, RequestOutcome.OK)
            metrics.count(*labels, 400, RequestOutcome.CLIENT_ERROR)
            metrics.tokens.labels(*labels, "prompt").inc(10)
            metrics.tokens.labels(*labels, "completion").inc(10)
            metrics.observe_first_token(*labels, 0.2)
            for streamed in ("true", "false"):
                metrics.duration.labels(*timed, streamed).observe(0.3)
        label = timed[0]
        for histogram in (metrics.output_token, metrics.queue, metrics.retrieval, metrics.overhead):
            histogram.labels(label).observe(0.01)
        metrics.retrievals.labels(metrics.tenant(tenant), "evidence").inc()
        metrics.in_flight.labels(metrics.tenant(tenant))
    assert metrics.names("made-up-1", "made up") == (OTHER, OTHER)
    return metrics


class Waits:
    """How long the event loop did not come back to a task that was ready."""

    def __init__(self) -> None:
        self.worst = 0.0

    async def watch(self) -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.001)
            self.worst = max(self.worst, time.perf_counter() - begun - 0.001)


@asynccontextmanager
async def serving(metrics: Metrics) -> AsyncIterator[str]:
    async def ready() -> str:
        return ""

    port = free_port()
    app = application("Metrics", [], tokens=None, metrics_tokens=None, probes=Probes(metrics.registry, ready))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}/metrics"
    server.should_exit = True
    await task


async def measured(metrics: Metrics) -> tuple[list[float], float, int]:
    """Seconds of each scrape, the longest wait of the event loop, and the bytes of a page."""
    seconds, size, waits = [], 0, Waits()
    async with serving(metrics) as url:
        watch = asyncio.create_task(waits.watch())
        for _ in range(SCRAPES):
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", READ, url, stdout=subprocess.PIPE)
            out, _ = await process.communicate()
            took, length = out.split()
            seconds.append(float(took))
            size = int(length)
        watch.cancel()
    return seconds, waits.worst, size


def by_the_library(lines: int) -> float:
    """Seconds of prometheus_client for a counter with so many series."""
    registry = CollectorRegistry()
    counter = Counter("quiver_gateway_requests", "x", ["tenant", "model", "code", "outcome"], registry=registry)
    for number in range(lines // 2):  # it writes a line for when each was created
        counter.labels(f"tenant-{number:05}", "support", "200", "ok").inc()
    begun = time.perf_counter()
    generate_latest(registry)
    return time.perf_counter() - begun


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the same")
    parser.parse_args()
    metrics = used(TENANTS)
    series = sum(not line.startswith(b"#") for part in page(metrics.registry) for line in part.splitlines())
    seconds, wait, size = asyncio.run(measured(metrics))
    bars = {
        "D6-series": Bar(series, MOST_SERIES, "series", at_most=True),
        "D6-scrape": Bar(round(1000 * sorted(seconds)[SCRAPES // 2], 1), 200, "ms", at_most=True),
        "D6-loop": Bar(round(1000 * wait, 1), 20, "ms at a time", at_most=True),
    }
    slowest, library = 1000 * max(seconds), 1000 * by_the_library(series)
    note = f"{size / 1e6:.1f} MB a page; slowest scrape {slowest:.0f} ms; prometheus_client: {library:.0f} ms"
    print(note)
    return report("scrape", bars, notes=[note])


if __name__ == "__main__":
    sys.exit(main())
