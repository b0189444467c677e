"""Requests made from a service's own description, and the answers that the description does not have."""

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import hypothesis
import schemathesis
from schemathesis import GenerationMode

TOKEN = "a-token-of-the-tests"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
ANSWER_S = 10
# Serves, and yields the URL. The directory is the service's own.
Address = Callable[[Path], AbstractAsyncContextManager[str]]


def undocumented_answers(address: Address, folder: Path) -> list[str]:
    """Method, path and status of each; a 5xx other than 503 is always one."""
    with _in_a_thread(address, folder) as url:
        schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
        operations = [schema[path][method] for path, methods in schema.items() for method in methods]
        assert operations
        modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        return [fault for each, mode in itertools.product(operations, modes) for fault in _faults(each, mode, url)]


@contextmanager
def _in_a_thread(address: Address, folder: Path) -> Iterator[str]:
    """The service has an event loop of its own; the test may block."""
    urls: list[str] = []
    started, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        async with address(folder) as url:
            urls.append(url)
            started.set()
            while not stop.is_set():  # noqa: ASYNC110  # it is set by another thread
                await asyncio.sleep(0.01)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    try:
        assert started.wait(30)
        yield urls[0]
    finally:
        stop.set()
        thread.join(30)


def _faults(operation: Any, mode: GenerationMode, url: str) -> list[str]:
    documented = set(operation.definition.raw["responses"])
    faults: list[str] = []

    @hypothesis.seed(1)
    @hypothesis.settings(max_examples=15, deadline=None, database=None, phases=[hypothesis.Phase.generate],
                         suppress_health_check=list(hypothesis.HealthCheck))  # fmt: skip
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        if isinstance(case.query, dict):
            case.query.pop("wait", None)  # a long poll would take its time
        status = str(case.call(base_url=url, headers=HEADERS, timeout=ANSWER_S).status_code)
        if status not in documented | {"404", "405"} or (status.startswith("5") and status != "503"):
            faults.append(f"{case.method} {case.path}: {status}")

    with suppress(hypothesis.errors.Unsatisfiable):  # nothing can be wrong about a request without parameters
        send()
    return faults
