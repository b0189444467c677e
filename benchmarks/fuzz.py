"""`make bench-fuzz`: bodies and bytes that no client means to send. None may end in a 5xx, a hang, or memory kept.

Protocol: on the real engine, (1) requests that schemathesis makes from the served description, right ones and wrong
ones, (2) bodies with up to three places changed, 10,000 in all, (3) requests changed byte by byte on raw sockets. The
gateway's memory is read after the first fifth of the bodies and at the end.
"""

import argparse
import asyncio
import copy
import itertools
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import hypothesis
import orjson
import schemathesis
from schemathesis import GenerationMode

from benchmarks import parity, quality
from benchmarks.report import Bar, report
from examples.demo.platform import Platform, running
from examples.demo.workspace import AlreadyRunning, alone, clear

ROOT = Path("build/fuzz")
CALLERS = 16
LIMIT_S = 60.0
SEED = 20_261_128
MODELS = ("quiver-demo", "support", "all-minilm-l6-v2", "nobody")
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 2**31, 2**63, 2**64, 1e308, "", "x", "\u0000", "\ud800", float("nan"), "x" * 5000, [], {},
    [[]], [None], {"type": "text"}, {"role": "user"}, {"": ""}, [{}] * 300, "data:image/png;base64,AAAA", "(a+)+$",
    {"$ref": "#"}, {"type": "object", "properties": {"a": {"$ref": "#"}}}, "../../etc/passwd", "\u202e\u0007\x1b[31m",
)  # fmt: skip
_BYTES = (b"\r\n", b"\n", b"\x00", b"\xff", b" ", b":", b"\r\n\r\n", b"0\r\n\r\n", b"Transfer-Encoding: chunked\r\n",
          b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"HTTP/9.9", b"Expect: 100-continue\r\n",
          b"Upgrade: websocket\r\n", b"X: " + b"a" * 9000 + b"\r\n")  # fmt: skip


@dataclass
class Result:
    """`failures` are server errors and broken answers, `hangs` those without an end within LIMIT_S."""

    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)

    def add(self, status: int, what: str) -> None:
        self.statuses[status] += 1
        if status >= 500:
            self.failures.append(f"{status}: {what:.300}")


@dataclass(frozen=True)
class Fuzz:
    platform: Platform
    result: Result

    @property
    def address(self) -> str:
        return self.platform.url.removesuffix("/v1")

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.platform.keys['acme']}", "content-type": "application/json"}

    def memory(self) -> float:
        """MB that the gateway has."""
        return float(self.platform.part("serving.gateway").memory_info().rss / 1e6)

    async def bodies(self, count: int, seed: int) -> None:
        rng = random.Random(seed)
        made = ((shape.path, changed(shape.body, rng)) for shape in _bodies(rng, count))
        timeout = aiohttp.ClientTimeout(total=LIMIT_S)
        async with aiohttp.ClientSession(headers=self.headers, timeout=timeout) as session:
            await asyncio.gather(*(self._send(session, made) for _ in range(CALLERS)))

    async def _send(self, session: aiohttp.ClientSession, made: Iterator[tuple[str, bytes]]) -> None:
        for path, body in made:
            try:
                async with session.post(self.address + path, data=body) as response:
                    text = await response.read()
            except TimeoutError:
                self.result.hangs.append(f"{path} {body!r:.300}")
                continue
            except aiohttp.ClientError as error:
                self.result.failures.append(f"{error!r}: {path} {body!r:.300}")
                continue
            self.result.add(response.status, f"{path} {body!r} → {text!r}")

    async def sockets(self, count: int, seed: int) -> None:
        rng = random.Random(seed)
        requests = (_request(self.headers, rng) for _ in range(count))
        await asyncio.gather(*(self._talk(requests) for _ in range(CALLERS)))

    async def _talk(self, requests: Iterator[bytes]) -> None:
        for request in requests:
            try:
                status = await asyncio.wait_for(self._raw(request), LIMIT_S)
            except TimeoutError:
                self.result.hangs.append(f"socket {request!r:.300}")
            else:
                self.result.add(status, f"socket {request!r}")

    async def _raw(self, request: bytes) -> int:
        """The status of the first answer; 0 where the connection was closed without one."""
        address = urlsplit(self.address)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            writer.write(request)
            writer.write_eof()
            line = await reader.readline()
            await reader.read()
        except ConnectionError:
            return 0
        finally:
            writer.close()
        return int(line.split()[1]) if line.startswith(b"HTTP/") else 0

    def described(self, count: int) -> None:
        """By the description that is served, half of them wrong on purpose."""
        schema = schemathesis.openapi.from_url(f"{self.address}/openapi.json")
        operations = [schema[path][method] for path, methods in schema.items() for method in methods]
        for operation, mode in itertools.product(operations, (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)):
            self._described(operation, mode, count)

    def _described(self, operation: Any, mode: GenerationMode, count: int) -> None:
        @hypothesis.seed(SEED)
        @hypothesis.settings(
            max_examples=count, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.generate],
        )  # fmt: skip
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def send(case: Any) -> None:
            if isinstance(case.body, dict):
                case.body["model"] = "quiver-demo"
                case.body["max_tokens"] = 1
            response = case.call(base_url=self.address, headers=self.headers, timeout=LIMIT_S)
            self.result.add(response.status_code, f"{case.method} {case.path} {case.body!r} → {response.text}")

        send()


def _bodies(rng: random.Random, count: int) -> Iterator[parity.Shape]:
    shapes = list(parity.shapes())
    embedding = parity.Shape("embedding", "/v1/embeddings", {"input": ["a", "b"]})
    for _ in range(count):
        shape = rng.choice([*shapes, *[embedding] * 10])
        body = {"model": rng.choice(MODELS), "stream": rng.random() < 0.3, **copy.deepcopy(shape.body)}
        yield parity.Shape(shape.name, shape.path, {**body, "retrieval": {"knowledge_bases": ["handbook"]}}
                           if rng.random() < 0.1 else body)  # fmt: skip


def changed(body: Any, rng: random.Random) -> bytes:
    """Up to three places made odd, and one time in ten bytes as well."""
    for _ in range(rng.randint(1, 3)):
        _change(body, rng)
    raw = json.dumps(body).encode()
    if rng.random() < 0.1:
        at = rng.randrange(len(raw))
        raw = raw[:at] + rng.choice((b"", b"\xff", b"\x00", b"[", b'"')) + raw[at + rng.randint(0, 5) :]
    return raw


def _change(value: Any, rng: random.Random) -> None:
    """One place, at any depth."""
    keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    if not keys:
        return
    key = rng.choice(keys)
    if isinstance(value[key], dict | list) and value[key] and rng.random() < 0.7:
        _change(value[key], rng)
    elif rng.random() < 0.2:
        del value[key]
    elif isinstance(value, dict) and rng.random() < 0.2:
        value[rng.choice(("x", "best_of", "chat_template", "priority", "", key + " "))] = rng.choice(ODD)
    else:
        value[key] = copy.deepcopy(rng.choice(ODD))


def _request(headers: dict[str, str], rng: random.Random) -> bytes:
    body = orjson.dumps({"model": "quiver-demo", "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]})
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join(["POST /v1/chat/completions HTTP/1.1", "host: x", f"content-length: {len(body)}", *lines])
    raw = f"{head}\r\n\r\n".encode() + body
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(raw) + 1)
        raw = raw[:at] + rng.choice(_BYTES) + raw[at + rng.choice((0, 0, 1, 8)) :]
    return raw if rng.random() < 0.8 else raw[: rng.randrange(len(raw))]


def _measured(platform: Platform, count: int) -> tuple[Result, float]:
    """The results, and the memory at the end as a multiple of what it was after a fifth of the bodies."""
    fuzz = Fuzz(platform, Result())
    fuzz.described(count // 100)
    print(f"  from the description: {dict(fuzz.result.statuses)}", flush=True)
    asyncio.run(fuzz.bodies(count // 5, SEED))
    before = fuzz.memory()
    for number in range(1, 5):
        asyncio.run(fuzz.bodies(count // 5, SEED + number))
        print(f"  {number + 1} fifths of the bodies: {dict(fuzz.result.statuses)}, {fuzz.memory():.0f} MB", flush=True)
    asyncio.run(fuzz.sockets(count // 5, SEED))
    print(f"  sockets: {dict(fuzz.result.statuses)}, {fuzz.memory():.0f} MB", flush=True)
    return fuzz.result, fuzz.memory() / before


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the bodies")
    count = 1000 if parser.parse_args().quick else 10_000
    try:
        with alone(ROOT):
            clear(ROOT)
            root = quality.objects(ROOT, [])
            quality.lift_limits(root)
            with running(root, tenants=("acme",), out=sys.stderr) as platform:
                platform.wait_until_ready()
                result, growth = _measured(platform, count)
    except AlreadyRunning as error:
        sys.exit(f"bench-fuzz: {error}")
    notes = [*result.failures[:20], *result.hangs[:20], f"statuses: {dict(sorted(result.statuses.items()))}"]
    print("\n".join(notes))
    bars = {
        "5xx": Bar(len(result.failures), 0, "answers", at_most=True),
        "hangs": Bar(len(result.hangs), 0, "requests", at_most=True),
        "memory": Bar(growth, 1.1, "times", at_most=True),
        "accepted": Bar(result.statuses[200], count / 100, "answers"),
    }
    return report("fuzz", bars, notes=notes)


if __name__ == "__main__":
    sys.exit(main())
