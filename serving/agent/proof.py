"""Checks that a loaded version is the one it claims to be, and does not change the base model's answers."""

import asyncio

from contract import conditions
from contract.agent import DesiredAdapter, Fingerprint
from serving.agent.culprits import Culprits
from serving.agent.engine import Engine
from serving.agent.engine_watch import EngineWatch
from serving.agent.errors import AgentError, EngineDownError, OtherWeightsError, RefusedError
from serving.agent.fingerprint import TOLERANCE, comparable, distance, without_effect
from serving.agent.metrics import Metrics

Items = tuple[DesiredAdapter, ...]


class Proof:
    """`prove` and `prove_beside_base` raise EngineDownError, UnavailableError, OtherWeightsError and RefusedError."""

    def __init__(self, engine: Engine, watch: EngineWatch, culprits: Culprits, metrics: Metrics) -> None:
        self._engine = engine
        self._watch = watch
        self._culprits = culprits
        self._metrics = metrics
        self._records: dict[str, Fingerprint] = {}

    def record(self, name: str, fingerprint: Fingerprint) -> None:
        """Keeps only the first fingerprint of each name."""
        self._records.setdefault(name, fingerprint)

    def keep(self, names: set[str | None]) -> None:
        self._records = {name: record for name, record in self._records.items() if name in names}

    async def prove(self, name: str, items: Items) -> Fingerprint:
        """The current fingerprint, compared with the recorded ones."""
        fingerprint = await self._engine.fingerprint(name)
        if self._watch.base:
            fingerprint = fingerprint.model_copy(update={"base": self._watch.base.prompts})
        self._compare(name, fingerprint, items)
        return fingerprint

    async def prove_beside_base(self, name: str, items: Items) -> Fingerprint:
        """As `prove`, but also checks the base model, even if the version's own answer is wrong."""
        try:
            fingerprint = await self.prove(name, items)
        except EngineDownError:
            raise
        except AgentError:
            await self._check_base(name)
            raise
        await self._check_base(name)
        return fingerprint

    async def _check_base(self, name: str) -> None:
        if await self._watch.base_is_unchanged():
            return
        self._watch.spoiled_by = name
        message = (
            f"since {name} was loaded, the base model answers differently; its engine is restarted without this version"
        )
        error = RefusedError(conditions.SPOILS_ENGINE, message)
        await asyncio.to_thread(self._culprits.refuse, name, error)
        raise error

    def _compare(self, name: str, fingerprint: Fingerprint, items: Items) -> None:
        records = [r for r in (self._records.get(name), *(item.fingerprint for item in items)) if r is not None]
        if any(r.engine == fingerprint.engine and distance(fingerprint, r) <= TOLERANCE for r in records):
            return
        if self._watch.base is not None and distance(fingerprint, self._watch.base) == 0:
            raise without_effect(name, before=bool(records))
        for record in records:
            if comparable(fingerprint, record) and distance(fingerprint, record) > TOLERANCE:
                self._metrics.mismatches.inc()
                raise OtherWeightsError(
                    "FingerprintDiffers",
                    f"{name} answers {distance(fingerprint, record):.3f} nats away from its record, over {TOLERANCE}: "
                    "its weights are not the recorded ones; it is loaded again",
                )
