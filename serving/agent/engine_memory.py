"""The agent's side of the files that it shares with the engine's plugin (`serving.engine.paging`)."""

import json
import logging
import struct
from pathlib import Path

from contract.engine_memory import COUNTS, FORMAT, RESIDENTS
from service.files import replace

logger = logging.getLogger(__name__)


class EngineMemory:
    """Which versions keep their places in the engine's memory, and how often requests met theirs there. All methods
    block: call them in a thread."""

    def __init__(self, store: Path) -> None:
        self._residents, self._counts = store / RESIDENTS, store / COUNTS
        self._written: frozenset[str] | None = None
        self._read = self._now()  # what was counted before this agent

    def keep(self, names: frozenset[str] | None) -> None:
        """Names the versions that keep their places; None if there is room for all. While the file cannot be written,
        the earlier names are in force."""
        residents = names or frozenset()
        if residents == self._written:
            return
        try:
            replace(self._residents, json.dumps(sorted(residents)))
        except OSError as error:
            logger.warning("%s cannot be written, and is tried again: %s", self._residents, error.strerror)
            return
        self._written = residents

    def requests(self) -> tuple[int, int]:
        """Requests since the last call: those that met their adapter in memory, and others. The engine's counts begin
        again with each engine."""
        now = self._now()
        before = self._read if now[0] >= self._read[0] and now[1] >= self._read[1] else (0, 0)
        self._read = now
        return now[0] - before[0], now[1] - before[1]

    def _now(self) -> tuple[int, int]:
        try:
            in_memory, others = struct.unpack(FORMAT, self._counts.read_bytes())
        except (OSError, struct.error):  # before the engine loaded its first version
            return 0, 0
        return in_memory, others
