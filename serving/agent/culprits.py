"""Versions that harmed an engine, stored beside the adapters: after a restart they are not loaded again."""

import json
import logging
from pathlib import Path

from pydantic import BaseModel, ValidationError

from contract.agent import Fingerprint
from service.files import replace
from serving.agent.errors import RefusedError

logger = logging.getLogger(__name__)

FILE = "culprits.json"
# If the engine ended this often during a version's load, the version counts as the cause.
DEATHS = 3


class _Kept(BaseModel):
    """`refused` and `deaths` are by engine name. `base` holds the base model's answers, before any adapter was loaded,
    on the engine that started at `started` (Unix seconds)."""

    refused: dict[str, tuple[str, str]] = {}
    deaths: dict[str, int] = {}
    started: float | None = None
    base: Fingerprint | None = None


class Culprits:
    """All methods except `refusals` and `base_of` block: call them in a thread."""

    def __init__(self, store: Path) -> None:
        self._path = store / FILE
        self._kept = _read(self._path)

    def refusals(self) -> dict[str, RefusedError]:
        return {name: RefusedError(reason, message) for name, (reason, message) in self._kept.refused.items()}

    def base_of(self, started: float) -> Fingerprint | None:
        """The base model's recorded answers on the engine that started at `started`, None if none are recorded."""
        return self._kept.base if self._kept.started == started else None

    def meet(self, started: float, base: Fingerprint) -> None:
        self._kept.started, self._kept.base = started, base
        self._write()

    def refuse(self, name: str, error: RefusedError) -> None:
        self._kept.refused[name] = (error.reason, error.message)
        self._write()

    def died(self, name: str) -> int:
        """Counts an end of the engine during this version's load. Returns how many there were, this one included."""
        self._kept.deaths[name] = self._kept.deaths.get(name, 0) + 1
        self._write()
        return self._kept.deaths[name]

    def forgive(self, name: str) -> None:
        """Forgets the ends counted for a version: the engine has survived its load."""
        if self._kept.deaths.pop(name, None):
            self._write()

    def _write(self) -> None:
        try:
            replace(self._path, self._kept.model_dump_json())
        except OSError as error:
            logger.error("%s cannot be written: %s; harmful versions are kept in memory only", self._path, error)


def _read(path: Path) -> _Kept:
    try:
        return _Kept.model_validate(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return _Kept()
    except (OSError, ValueError, ValidationError) as error:
        logger.error("%s cannot be read: %s; versions that harmed the engine are tried again", path, error)
        return _Kept()
