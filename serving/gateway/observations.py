"""Observations of finished requests for the drift detector: queued without waiting, sent in batches."""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence

import aiohttp

from contract.drift import Observation
from contract.drift import Observations as DriftObservations
from serving.gateway.metrics import Metrics

logger = logging.getLogger(__name__)

_QUEUE_LENGTH = 10_000
_BATCH = 500
_PERIOD_S = 1.0


class Observations:
    """Drops new observations while the queue is full: a request never waits for its observation."""

    def __init__(self, metrics: Metrics) -> None:
        self._queue: deque[Observation] = deque()
        self._metrics = metrics

    @property
    def queued(self) -> Sequence[Observation]:
        """Those that are not sent yet."""
        return tuple(self._queue)

    def add(self, observation: Observation) -> None:
        if len(self._queue) >= _QUEUE_LENGTH:
            self._metrics.dropped_observations.inc()
            return
        self._queue.append(observation)

    async def send_to(self, url: str, token: str) -> None:
        """Runs until cancelled. An undelivered batch is sent again."""
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {token}"}, timeout=timeout) as session:
            while True:
                await asyncio.sleep(_PERIOD_S)
                batch = [self._queue[i] for i in range(min(_BATCH, len(self._queue)))]
                if batch and await self._delivered(session, batch):
                    for _ in batch:
                        self._queue.popleft()

    async def _delivered(self, session: aiohttp.ClientSession, batch: list[Observation]) -> bool:
        body = DriftObservations(observations=batch).model_dump_json()
        try:
            async with session.post("/v1/observations", data=body) as response:
                if response.status >= 500:
                    return False
                if response.status >= 400:
                    logger.warning("drift refused %d observations: %s", len(batch), (await response.text())[:200])
                return True
        except (aiohttp.ClientError, TimeoutError):
            return False
