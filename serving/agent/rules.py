"""The rules for adapters, available once the base model's files are readable or certainly not here."""

import asyncio
import logging
from pathlib import Path

from serving.agent import base
from serving.agent.verify import Rules

logger = logging.getLogger(__name__)


class PendingRules:
    """A base model in a directory is read at the start, one on the hub after its engine has fetched it: until then no
    adapter is verified. `hub_cache` is the engine's."""

    def __init__(self, name: str, source: str, *, max_rank: int, hub_cache: Path | None = None) -> None:
        self._name = name
        self._source = source
        self._max_rank = max_rank
        self._hub_cache = hub_cache
        self._rules: Rules | None = None
        self._ready = asyncio.Event()

    async def get(self) -> Rules:
        await self._ready.wait()
        if self._rules is None:
            raise RuntimeError("the rules are ready before they are set")
        return self._rules

    async def read(self, *, engine_runs: bool) -> None:
        """Once the engine runs, it has fetched its model: files still unreadable then are not on this machine."""
        if self._ready.is_set():
            return
        base_layers = await asyncio.to_thread(base.read, self._name, self._source, self._hub_cache)
        if not base_layers.layers and not engine_runs:
            return
        if not base_layers.layers:
            logger.warning("the files of base model %s cannot be read here: the engine decides what fits", self._name)
        self.set(Rules(base_layers, self._max_rank))

    def set(self, rules: Rules) -> None:
        self._rules = rules
        self._ready.set()
