"""A plugin of vLLM, loaded by every process of an engine: adapters beyond the room in memory are loaded when asked for.

vLLM lists any number of adapters, keeps `--max-cpu-loras` of them in memory, and reads another one from disk when a
request asks for it. It drops the least recently used one, whichever that is. With this plugin, `Eviction` chooses:
adapters of the running batch stay, and those that the agent has named as residents.

`contract.engine_memory` has the files that it shares with the agent: the residents' names, and counts of requests.
"""

import json
import mmap
import os
import struct
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

from contract.engine_memory import COUNTS, FORMAT, PROBE, RESIDENTS
from serving.engine import settings
from serving.engine.eviction import Eviction
from serving.engine.wrapping import wrap


def register() -> None:
    """Called by vLLM (https://docs.vllm.ai/en/latest/design/plugin_system.html)."""
    from vllm.lora.model_manager import LRUCacheLoRAModelManager
    from vllm.lora.worker_manager import LRUCacheWorkerLoRAManager
    from vllm.v1.worker.gpu_worker import Worker

    pages = Pages(settings.store())
    wrap(Worker, "execute_model", pages.asked)
    wrap(LRUCacheWorkerLoRAManager, "_apply_adapters", pages.running)
    wrap(LRUCacheWorkerLoRAManager, "add_adapter", pages.adding)
    wrap(LRUCacheLoRAModelManager, "remove_oldest_adapter", pages.removing)


class Pages:
    """The adapters in the memory of this process. vLLM calls from one thread."""

    def __init__(self, store: Path | None) -> None:
        self._residents = Residents(store / RESIDENTS if store else None)
        self._counts = Counts(store / COUNTS if store else None)
        self._eviction: Eviction | None = None
        self._names: dict[int, str] = {}  # by vLLM's number of an adapter, for those in memory
        self._coming: set[str] = set()
        self._batch: frozenset[str] = frozenset()

    def asked(self, execute_model: Callable[..., Any]) -> Callable[..., Any]:
        """Counts the requests for adapters that begin with a step."""

        def run(worker: Any, scheduled: Any) -> Any:
            for request in scheduled.scheduled_new_reqs:
                if request.lora_request and PROBE not in request.req_id:
                    self._count(request.lora_request.lora_name)
            return execute_model(worker, scheduled)

        return run

    def _count(self, name: str) -> None:
        if self._eviction is None:
            return  # nothing was loaded yet
        self._eviction.use(name)
        in_memory = name in self._coming or name in self._names.values()
        self._counts.add(in_memory=in_memory)
        if not in_memory:
            self._coming.add(name)

    def running(self, apply: Callable[..., None]) -> Callable[..., None]:
        def run(manager: Any, requests: Iterable[Any]) -> None:
            asked = sorted((each for each in requests if each), key=lambda each: each.lora_int_id)
            self._batch = frozenset(each.lora_name for each in asked)
            apply(manager, asked)  # in the same order in every process of an engine

        return run

    def adding(self, add_adapter: Callable[..., bool]) -> Callable[..., bool]:
        def run(manager: Any, request: Any) -> bool:
            if self._eviction is None:
                self._eviction = Eviction(int(manager._adapter_manager.capacity))
            self._drop_earlier(manager._adapter_manager, request)
            added = add_adapter(manager, request)
            self._names[request.lora_int_id] = request.lora_name
            self._coming.discard(request.lora_name)
            return added

        return run

    def _drop_earlier(self, manager: Any, request: Any) -> None:
        """A name that was unloaded and loaded again has a new number. The weights under the old one are never asked for
        again, since vLLM's unloading forgets the name alone."""
        numbers = [number for number, name in self._names.items() if name == request.lora_name]
        for number in numbers:
            if number != request.lora_int_id:
                manager.remove_adapter(number)
                del self._names[number]

    def removing(self, _: Callable[..., bool]) -> Callable[..., bool]:
        """In place of the removal of the least recently used adapter."""

        def run(manager: Any) -> bool:
            cache = manager._registered_adapters
            if not cache or self._eviction is None:
                return False
            self._names = {number: name for number, name in self._names.items() if number in cache}
            number = self._victim(self._eviction, cache.keys())
            del cache[number]
            self._names.pop(number, None)
            return True

        return run

    def _victim(self, eviction: Eviction, numbers: Collection[int]) -> int:
        named = {self._names.get(number, ""): number for number in numbers}
        return named[eviction.victim(named, in_use=self._batch, resident=self._residents.names())]


class Residents:
    """The names in the agent's file, read again when it was replaced. A missing or broken file names none."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._read: tuple[int, int] | None = None
        self._names: frozenset[str] = frozenset()

    def names(self) -> frozenset[str]:
        if self._path is None:
            return self._names
        try:
            status = self._path.stat()
            if (status.st_ino, status.st_mtime_ns) != self._read:
                self._read = (status.st_ino, status.st_mtime_ns)
                self._names = frozenset(json.loads(self._path.read_bytes()))
        except (OSError, ValueError, TypeError):
            self._names = frozenset()
        return self._names


class Counts:
    """Requests by whether their adapter was in memory. Processes of one engine write the same numbers."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._values = [0, 0]
        self._shared: mmap.mmap | None = None

    def add(self, *, in_memory: bool) -> None:
        self._values[not in_memory] += 1
        if self._path is None:
            return
        try:
            self._shared = self._shared or _mapped(self._path)
        except OSError:  # a full disk: counts are lost, and no request
            self._path = None
            return
        struct.pack_into(FORMAT, self._shared, 0, *self._values)


def _mapped(path: Path) -> mmap.mmap:
    """A new file: an earlier one may be mapped by another process."""
    staged = path.with_name(f"{path.name}.{os.getpid()}")
    with staged.open("w+b") as file:
        os.posix_fallocate(file.fileno(), 0, struct.calcsize(FORMAT))  # a write to the map has its room
        staged.rename(path)
        return mmap.mmap(file.fileno(), 0)
