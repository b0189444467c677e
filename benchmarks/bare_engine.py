"""An engine as the product starts it, and nothing in front of it: what the product is compared with."""

import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import aiohttp
import psutil

from contract.base_model import BaseModel, BaseModelSpec, Lora
from contract.names import API_VERSION
from contract.resource import Metadata
from examples.demo.platform import end_with_parent
from operators.desired.engine_vllm import engine_command, on_port
from operators.local import process_group
from operators.local.commands import ENGINE_NICE
from operators.local.layout import free_port
from operators.local.process import lower_priority
from operators.settings import Settings

HERE = Path(__file__).parent.parent
BASE = "quiver-demo"  # what the demo's adapters were made for
KEY = "bare-engine"
START_LIMIT_S = 240.0
MEMORY_FOR_KEYS_AND_VALUES = "268435456"

Dtype = Literal["bfloat16", "float32"]


@dataclass(frozen=True)
class BareEngine:
    url: str
    process: "subprocess.Popen[bytes]"
    store: Path
    """What the engine's plugin shares with an agent."""

    def session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            self.url,
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=aiohttp.ClientTimeout(total=120),
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=3),
        )

    @property
    def rss(self) -> int:
        """Bytes, of all its processes."""
        parent = psutil.Process(self.process.pid)
        return sum(process.memory_info().rss for process in (parent, *parent.children(recursive=True)))


async def load(session: aiohttp.ClientSession, name: str, path: Path) -> tuple[int, str]:
    async with session.post("/v1/load_lora_adapter", json={"lora_name": name, "lora_path": str(path)}) as response:
        return response.status, await response.text()


async def unload(session: aiohttp.ClientSession, name: str) -> tuple[int, str]:
    async with session.post("/v1/unload_lora_adapter", json={"lora_name": name}) as response:
        return response.status, await response.text()


async def complete(
    session: aiohttp.ClientSession, name: str, prompt: str | Sequence[str] | Sequence[int], **more: Any
) -> tuple[int, Any]:
    body = {"model": name, "prompt": prompt, "max_tokens": 16, "temperature": 0, **more}
    async with session.post("/v1/completions", json=body) as response:
        return response.status, await response.json()


def _base(slots: int, cpu_slots: int, dtype: Dtype, extra: tuple[str, ...]) -> BaseModel:
    return BaseModel(
        api_version=API_VERSION,
        metadata=Metadata(name=BASE),
        spec=BaseModelSpec(
            source=str(HERE / "models/demo/base"),
            lora=Lora(max_rank=16, slots=slots, cpu_slots=cpu_slots),
            max_model_length=1024,
            dtype=dtype,
            engine_args=("--enforce-eager", "--kv-cache-memory-bytes", MEMORY_FOR_KEYS_AND_VALUES, *extra),
            engine_env={"HF_HUB_OFFLINE": "1"},
        ),
    )


@contextmanager
def bare_engine(
    log: Path,
    *,
    slots: int = 4,
    cpu_slots: int = 16,
    dtype: Dtype = "bfloat16",
    extra: tuple[str, ...] = (),
) -> Iterator[BareEngine]:
    """The demo's base model, served as `quiver up` serves it. Raises RuntimeError when it does not come up."""
    port = free_port()
    base = _base(slots, cpu_slots, dtype, extra)
    store = log.with_suffix(".store")
    store.mkdir(exist_ok=True)
    python, listen = str(Settings().engine_python), on_port("127.0.0.1", port)
    command = engine_command(base, python=python, listen=listen, api_key=KEY, store=str(store))
    with log.open("wb") as out:
        process = subprocess.Popen(
            command.arguments,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, **command.environment},
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
    try:
        lower_priority(process.pid, ENGINE_NICE)
        engine = BareEngine(f"http://127.0.0.1:{port}", process, store)
        _wait(engine, log)
        yield engine
    finally:
        process_group.kill(process.pid)
        process.wait()


def _wait(engine: BareEngine, log: Path) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < START_LIMIT_S:
        if engine.process.poll() is not None:
            raise RuntimeError(f"the engine ended with status {engine.process.returncode}; see {log}")
        if answers(engine.url):
            return
        time.sleep(0.2)
    raise RuntimeError(f"the engine did not answer within {START_LIMIT_S:.0f} s; see {log}")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False
