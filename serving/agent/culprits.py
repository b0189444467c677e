"""Versions harmful to an engine, stored beside the adapters: a later agent or engine does not load them again."""

import json
import logging
from pathlib import Path

from pydantic import BaseModel, ValidationError

from contract.agent import Fingerprint
from service.files import replace
from serving.agent.errors import RefusedError

logger = logging.getLogger(__name__)

FILE = "culprits.json"
# After this many deaths during a version's load, the version is the cause.
DEATHS = 3


class _Kept(BaseModel):
    """`refused` and `deaths` are by engine name. `base` are the base model's answers on the engine started at
    `started`, before any adapter was loaded."""

    refused: dict[str, tuple[str, str]] = {}
    deaths: dict[str, int] = {}
    started: float | None = None
    base: Fingerprint | None = None


class Culprits:
    """Every method but `refusals` and `base_of` blocks: call it from a thread."""

    def __init__(self, store: Path) -> None:
        self._path = store / FILE
        self._kept = _read(self._path)

    def refusals(self) -> dict[str, RefusedError]:
        return {name: RefusedError(reason, message) for name, (reason, message) in self._kept.refused.items()}

    def base_of(self, started: float) -> Fingerprint | None:
        """The base answers of an engine known from an earlier life of this agent."""
        return self._kept.base if self._kept.started == started else None

    def meet(self, started: float, base: Fingerprint) -> None:
        self._kept.started, self._kept.base = started, base
        self._write()

    def refuse(self, name: str, error: RefusedError) -> None:
        self._kept.refused[name] = (error.reason, error.message)
        self._write()

    def died(self, name: str) -> int:
        """How often the engine has ended while this version was loaded, this time included."""
        self._kept.deaths[name] = self._kept.deaths.get(name, 0) + 1
        self._write()
        return self._kept.deaths[name]

    def forgive(self, name: str) -> None:
        """It was loaded, and the engine lives."""
        if self._kept.deaths.pop(name, None):
            self._write()

    def _write(self) -> None:
        try:
            replace(self._path, self._kept.model_dump_json())
        except OSError as error:
            logger.error("%s cannot be written: %s; what harmed the engine is kept in memory alone", self._path, error)


def _read(path: Path) -> _Kept:
    try:
        return _Kept.model_validate(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return _Kept()
    except (OSError, ValueError, ValidationError) as error:
        logger.error("%s cannot be read: %s; versions that harmed the engine are tried again", path, error)
        return _Kept()
