"""`make bench-observations`: what part of the gateway's processor time goes into observations for drift.

Protocol: the running platform's gateway answers questions from documents; its time on a processor is
counted from /proc. Then as many observations, with the embeddings that they have, are made, queued and sent to the
platform's detector by the gateway's own code in this process, whose time is counted likewise. D5 is the ratio.
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path

import aiohttp

from benchmarks import quality
from benchmarks.gateway import Contestant
from benchmarks.load import QUESTION
from benchmarks.report import Bar, report
from contract.search import Outcome, SearchResponse, Seconds
from examples.demo.platform import Platform
from serving.gateway.accounts import Accounts, RequestRecord
from serving.gateway.catalog import Target
from serving.gateway.comparisons import Comparisons
from serving.gateway.metrics import Metrics
from serving.gateway.observations import Observations

ROOT = Path("build/bench-observations").resolve()
CALLERS, REQUESTS, OBSERVATIONS = 8, 400, 4_000
BODY = {
    "model": "quiver-demo", "max_tokens": 1, "temperature": 0, "retrieval": {"knowledge_bases": ["handbook"]},
}  # fmt: skip


async def request_us(platform: Platform, count: int) -> float:
    """Of the gateway, for one answer from documents."""
    gateway = Contestant(platform.url.removesuffix("/v1"), platform.part("serving.gateway").pid)
    headers, remaining = {"authorization": f"Bearer {platform.keys['acme']}"}, iter(range(count))

    async def caller(session: aiohttp.ClientSession) -> None:
        for number in remaining:
            messages = [{"role": "user", "content": f"{QUESTION} ({number})"}]
            url = f"{gateway.url}/v1/chat/completions"
            async with session.post(url, json={**BODY, "messages": messages}) as response:
                response.raise_for_status()
                await response.read()

    async with aiohttp.ClientSession(headers=headers) as session:
        before = gateway.cpu_s()
        await asyncio.gather(*(caller(session) for _ in range(CALLERS)))
    return (gateway.cpu_s() - before) / count * 1e6


async def observation_us(platform: Platform, count: int) -> float:
    """Made, queued and sent by the gateway's code."""
    environment = platform.part("serving.gateway").environ()
    url, token = environment["QUIVER_GATEWAY_DRIFT_URL"], environment["QUIVER_GATEWAY_DRIFT_TOKEN"]
    metrics = Metrics()
    observations = Observations(metrics)
    accounts = Accounts(metrics, Comparisons(), observations)
    begun = time.process_time()
    for _ in range(count):
        accounts.observe(_record(), time.monotonic())
    sending = asyncio.create_task(observations.send_to(url, token))
    while observations.queued:  # noqa: ASYNC110  # what is measured has no event for it
        await asyncio.sleep(0.1)
    used = time.process_time() - begun
    sending.cancel()
    return used / count * 1e6


def _record() -> RequestRecord:
    search = SearchResponse(
        outcome=Outcome.EVIDENCE, evidence=[], best=0.8, embedding="A" * 2_048, embedder="minilm",
        seconds=Seconds(embed=0, search=0, rank=0),
    )  # fmt: skip
    target = Target("acme", "quiver-demo", "quiver-demo", "quiver-demo")
    record = RequestRecord(started=0.0, tenant="acme", model="quiver-demo", retrieval="evidence", target=target)
    record.search, record.cited, record.sent, record.finish_reason = search, True, 0.0, "stop"
    return record


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a quarter of the requests; as many observations, since a session has a fixed cost",
    )
    scale = 4 if parser.parse_args().quick else 1
    with quality.without_limits(ROOT, "observations") as platform:
        asyncio.run(request_us(platform, 40))  # warm
        request = asyncio.run(request_us(platform, REQUESTS // scale))
        observation = asyncio.run(observation_us(platform, OBSERVATIONS))
    bars = {"D5-request": Bar(round(observation / request, 4), 0.03, "of a request", at_most=True)}
    return report("observations", bars, notes=[f"a request {request:.0f} µs, an observation {observation:.0f} µs"])


if __name__ == "__main__":
    sys.exit(main())
