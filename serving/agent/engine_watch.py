"""The engine as this agent last saw it: its start, its base model's answers, and whether a version changed them."""

import asyncio
import logging
import time

from contract.agent import Fingerprint
from serving.agent.culprits import Culprits
from serving.agent.engine import Engine
from serving.agent.errors import EngineDownError, UnavailableError
from serving.agent.fingerprint import TOLERANCE, distance

logger = logging.getLogger(__name__)

# Seconds between checks of an engine that is known to run; a restart goes unnoticed for at most this long.
PERIOD_S = 0.5
# An engine is down after this many unanswered checks in a row: one slow answer does not count.
MISSES = 2


class EngineWatch:
    """`base` holds the base model's answers before any adapter was loaded, None until they are known. `spoiled_by`
    names the version after whose load these answers changed."""

    def __init__(self, engine: Engine, culprits: Culprits) -> None:
        self._engine = engine
        self._culprits = culprits
        self._misses = 0
        self._met_at = 0.0
        self.started: float | None = None
        self.base: Fingerprint | None = None
        self.spoiled_by: str | None = None

    @property
    def is_down(self) -> bool:
        return self._misses >= MISSES

    @property
    def is_alive(self) -> bool:
        return self.started is not None and not self.is_down

    async def meet(self) -> bool:
        """Checks the engine. Returns whether it is a new process; if so, earlier results do not count. Raises
        EngineDownError.

        A running engine is checked once in a period: none restarts faster, and reading its metrics is expensive.
        """
        now = time.monotonic()
        may_be_new = self.started is None or self._misses or self.spoiled_by
        if not may_be_new and now - self._met_at < PERIOD_S:
            return False
        self._met_at = now
        started = await self._engine.started()
        self._misses = 0 if started is not None else self._misses + 1
        if started is None:
            if self._misses == MISSES:
                logger.info("engine is down")
            raise EngineDownError("EngineDown", "the engine does not answer")
        is_new = started != self.started
        if is_new:
            logger.info("engine started at %.0f", started)
            self.started, self.base, self.spoiled_by = started, None, None
        return is_new

    async def meet_base(self) -> None:
        """Records the base model's answers. If an earlier run of this agent recorded them for the same engine, those
        count. Raises UnavailableError."""
        if self.base is not None or self.started is None:
            return
        now = await self._base_now()
        first = self._culprits.base_of(self.started)
        if first is not None and distance(now, first) > TOLERANCE:
            self.spoiled_by = "an earlier version"
            raise UnavailableError("SpoilsEngine", f"the base model's answers have changed, by {self.spoiled_by}")
        self.base = first or now
        if first is None:
            await asyncio.to_thread(self._culprits.meet, self.started, now)

    async def base_is_unchanged(self) -> bool:
        """True if the base model answers as before; a failed request counts as a change. Raises EngineDownError."""
        try:
            return self.base is None or distance(await self._base_now(), self.base) <= TOLERANCE
        except EngineDownError:
            raise
        except UnavailableError:
            return False

    async def _base_now(self) -> Fingerprint:
        return await self._engine.fingerprint(self._engine.base_model)
