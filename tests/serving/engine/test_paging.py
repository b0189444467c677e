"""The plugin without an engine: what it does with numbers, files and a full disk."""

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from contract.engine_memory import COUNTS, PROBE
from serving.engine.paging import Pages


class Cache(dict[int, str]):
    """vLLM's registered adapters."""


class Manager:
    """Of an engine with places for `capacity` adapters, called as vLLM's worker calls it."""

    def __init__(self, capacity: int, pages: Pages) -> None:
        self.capacity = capacity
        self._registered_adapters = Cache()
        self._adapter_manager = self
        self._remove = pages.removing(lambda _: False)
        self.add = pages.adding(Manager._load)
        self.apply = pages.running(Manager._apply)
        self.step = pages.asked(Manager._step)

    def _load(self, request: Any) -> bool:
        if request.lora_int_id in self._registered_adapters:
            return False
        if len(self._registered_adapters) >= self.capacity:
            self._remove(self)
        self._registered_adapters[request.lora_int_id] = request.lora_name
        return True

    def _apply(self, requests: Iterable[Any]) -> None:
        for request in requests:
            self.add(self, request)

    def _step(self, scheduled: Any) -> None:
        self.apply(self, [each.lora_request for each in scheduled.scheduled_new_reqs])

    def remove_adapter(self, number: int) -> bool:
        return self._registered_adapters.pop(number, None) is not None

    def ask(self, number: int, name: str, request: str = "cmpl-1") -> None:
        lora = SimpleNamespace(lora_int_id=number, lora_name=name)
        self.step(self, SimpleNamespace(scheduled_new_reqs=[SimpleNamespace(lora_request=lora, req_id=request)]))

    @property
    def in_memory(self) -> list[str]:
        return sorted(self._registered_adapters.values())


def test_a_name_that_was_loaded_again_is_in_memory_once() -> None:
    manager = Manager(4, Pages(None))
    for number in range(1, 5):
        manager.add(manager, SimpleNamespace(lora_int_id=number, lora_name="x"))
    for number, name in enumerate("yz", 5):
        manager.ask(number, name)
    assert manager.in_memory == ["x", "y", "z"]


def test_a_full_disk_loses_counts_and_no_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    manager = Manager(2, Pages(tmp_path))
    for _ in range(3):
        manager.ask(1, "x")
    assert manager.in_memory == ["x"]
    assert not (tmp_path / COUNTS).exists()


def test_requests_of_the_agent_count_for_nothing() -> None:
    manager = Manager(3, Pages(None))
    for number, name in enumerate("abc", 1):
        manager.ask(number, name)
    for _ in range(5):
        manager.ask(1, "a", f"cmpl-{PROBE}-1")
    manager.ask(2, "b")
    manager.ask(3, "c")
    manager.ask(4, "d")
    assert manager.in_memory == ["b", "c", "d"]
