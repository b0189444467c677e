"""`make bench-neighbours`: what a quiet tenant notices of another one that attacks.

Protocol: tenant globex asks one question ten times a second, alone and beside each attack by tenant acme, in one run on
the real engine. The attackers are processes of their own, which give way to the platform (nice): they stand for other
machines. Bars: p50 at most twice, p99 at most five times what it was alone, and every answer the same as alone.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import openai

from benchmarks import quality
from benchmarks.adapters.stage import adapter, save
from benchmarks.bare_engine import BASE, HERE
from benchmarks.extreme import Extreme, projections
from benchmarks.load import QUESTION
from benchmarks.report import Bar, report
from examples.demo.platform import Platform, end_with_parent, running
from examples.demo.workspace import AlreadyRunning, alone, clear
from operators.local.process import lower_priority
from serving.agent import base as base_model

ROOT = Path("build/bench-neighbours").resolve()
MODEL = base_model.read(BASE, str(HERE / "models/demo/base"))
PAUSE_S = 0.1
ATTACKERS_NICE = 19
P50, P99 = 2.0, 5.0


@dataclass(frozen=True)
class Quiet:
    """Seconds of each answer, and the texts that were answered."""

    seconds: tuple[float, ...]
    texts: frozenset[str]
    failures: int

    @property
    def p50(self) -> float:
        return quantiles(self.seconds, n=100)[49]

    @property
    def p99(self) -> float:
        return quantiles(self.seconds, n=100)[98]


def ask(platform: Platform, seconds: float) -> Quiet:
    taken, texts, failures, end = [], set(), 0, time.monotonic() + seconds
    with openai.OpenAI(base_url=platform.url, api_key=platform.keys["globex"], max_retries=0, timeout=60) as client:
        while time.monotonic() < end:
            begun = time.monotonic()
            try:
                answer = client.chat.completions.create(
                    model=BASE, messages=[{"role": "user", "content": QUESTION}], max_tokens=4, temperature=0
                )
                texts.add(answer.choices[0].message.content or "")
            except openai.OpenAIError as error:
                failures += 1
                print(f"  {error!r:.200}", flush=True)
            taken.append(time.monotonic() - begun)
            time.sleep(PAUSE_S)
    return Quiet(tuple(taken), frozenset(texts), failures)


# Attacks on the gateway, each in a process of its own -------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    port: int
    key: str

    @property
    def head(self) -> bytes:
        return f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {self.key}\r\n".encode()

    async def connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)


async def _again(count: int, work: Callable[[], Awaitable[None]]) -> None:
    """`count` at once, each again as soon as it ends, for ever."""

    async def repeat() -> None:
        while True:
            try:
                await work()
            except OSError:
                await asyncio.sleep(0.05)

    await asyncio.gather(*(repeat() for _ in range(count)))


async def bodies(target: Target) -> None:
    """Large bodies of unknown fields and of bad parts."""
    part = {"role": "user", "content": [{"type": "x"}] * 64}
    texts = [
        json.dumps({f"a{number}": 0 for number in range(70_000)}).encode(),
        json.dumps({"model": BASE, "messages": [part] * 256}).encode(),
        json.dumps({"model": BASE, "messages": [{"role": "user", "content": "x"}] * 2000, "n": 0}).encode(),
    ]

    async def one() -> None:
        reader, writer = await target.connected()
        body = random.choice(texts)
        writer.write(target.head + f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
        await reader.read()
        writer.close()

    await _again(8, one)


async def half_headers(target: Target) -> None:
    """Connections that begin a request and say no more."""

    async def one() -> None:
        reader, writer = await target.connected()
        writer.write(target.head)
        await reader.read()
        writer.close()

    await _again(1000, one)


async def unfinished_bodies(target: Target) -> None:
    async def one() -> None:
        reader, writer = await target.connected()
        writer.write(target.head + b"content-length: 1000001\r\n\r\n" + b" " * 1_000_000)
        await reader.read()
        writer.close()

    await _again(500, one)


async def silent_readers(target: Target) -> None:
    """Pages that are asked for and not read."""

    async def one() -> None:
        _, writer = await target.connected()
        writer.transport.set_write_buffer_limits(0)
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # sockets' transports have it
        for _ in range(2000):
            writer.write(b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n")
            await writer.drain()
        await asyncio.sleep(60)

    await _again(50, one)


ATTACKS: dict[str, Callable[[Target], Awaitable[None]]] = {
    "bodies": bodies, "half-headers": half_headers, "unfinished-bodies": unfinished_bodies,
    "silent-readers": silent_readers,
}  # fmt: skip


@contextmanager
def attack(name: str, platform: Platform) -> Iterator[None]:
    command = [sys.executable, "-m", "benchmarks.neighbours", "--attack", name]
    environment = {**os.environ, "QUIVER_TARGET": f"{platform.port} {platform.keys['acme']}"}
    process = subprocess.Popen(
        command, env=environment, stderr=subprocess.DEVNULL, start_new_session=True, preexec_fn=end_with_parent
    )
    try:
        lower_priority(process.pid, ATTACKERS_NICE)
        yield
    finally:
        process.kill()
        process.wait()


# Attacks by objects ----------------------------------------------------------------------------------------------


def _adapter_of(directory: Path, b: float) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    return Extreme(projections(MODEL), rank=8, a=0.1, b=b, alpha=16, seed=7).write(directory, MODEL, BASE)


def without_effect(root: Path) -> None:
    save(root / "attack.yaml", adapter("zero", _adapter_of(root / "zero", 0.0)))


def overflowing(root: Path) -> None:
    save(root / "attack.yaml", adapter("huge", _adapter_of(root / "huge", 2.5e38)))


def large_file(root: Path) -> None:
    save(root / "attack.yaml", *(adapter(f"a{number}", root / "nothing") for number in range(2500)))


OBJECTS = {"without-effect": without_effect, "overflowing": overflowing, "large-file": large_file}


@contextmanager
def objects(name: str, platform: Platform) -> Iterator[None]:
    OBJECTS[name](platform.root)
    try:
        yield
    finally:
        (platform.root / "attack.yaml").unlink()


def _measured(platform: Platform, seconds: float) -> dict[str, Bar]:
    ask(platform, 3)
    quiet = ask(platform, 2 * seconds)
    print(f"  alone: p50 {quiet.p50 * 1000:.0f} ms, p99 {quiet.p99 * 1000:.0f} ms", flush=True)
    bars: dict[str, Bar] = {}
    for name in (*ATTACKS, *OBJECTS):
        with attack(name, platform) if name in ATTACKS else objects(name, platform):
            time.sleep(2)
            beside = ask(platform, seconds)
        print(f"  {name}: p50 {beside.p50 * 1000:.0f} ms, p99 {beside.p99 * 1000:.0f} ms", flush=True)
        bars[f"{name}-p50"] = Bar(beside.p50 / quiet.p50, P50, "times", at_most=True)
        bars[f"{name}-p99"] = Bar(beside.p99 / quiet.p99, P99, "times", at_most=True)
        wrong = beside.failures + len(beside.texts - quiet.texts)
        bars[f"{name}-answers"] = Bar(wrong, 0, "wrong", at_most=True)
        time.sleep(3)
    return bars


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--attack", choices=ATTACKS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.attack:
        port, key = os.environ["QUIVER_TARGET"].split()
        asyncio.run(ATTACKS[options.attack](Target(int(port), key)))  # type: ignore[arg-type]  # coroutines
    try:
        with alone(ROOT):
            clear(ROOT)
            root = quality.objects(ROOT / "objects", [])
            with running(root, tenants=("acme", "globex"), out=sys.stderr) as platform:
                platform.wait_until_ready()
                bars = _measured(platform, 15 if options.quick else 30)
    except AlreadyRunning as error:
        sys.exit(f"bench-neighbours: {error}")
    return report("neighbours", bars)


if __name__ == "__main__":
    sys.exit(main())
