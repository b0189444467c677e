"""The agent's only HTTP client of the engine (vLLM's OpenAI server)."""

import json
import re
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from contract.agent import Fingerprint
from contract.engine_memory import PROBE
from service.addresses import connector, root
from serving.agent.errors import EngineDownError, UnavailableError
from serving.agent.fingerprint import PROMPTS, TOP

_START_TIME = re.compile(r"^process_start_time_seconds (\S+)", re.MULTILINE)
_REQUESTS = re.compile(r"^vllm:num_requests_(?:running|waiting)\{[^}]*\} (\S+)", re.MULTILINE)
_ALREADY_LOADED = "already been loaded"

# A load reads weights and waits for the engine's current step; a first probe compiles kernels.
TIMEOUT = aiohttp.ClientTimeout(total=120, sock_connect=2)
# For calls that cost the engine no work: an engine slower than this counts as not answering.
ALIVE_TIMEOUT = aiohttp.ClientTimeout(total=10, sock_connect=2)


class Engine:
    """Every method except `started` raises UnavailableError if the request does not succeed."""

    def __init__(self, session: aiohttp.ClientSession, base_model: str) -> None:
        self._session = session
        self.base_model = base_model
        self._started: float | None = None
        self._release: str | None = None
        """Of the engine that `started` last saw; asked for once."""

    async def started(self) -> float | None:
        """The engine's start in Unix seconds; None while it does not answer. A new value means a new process."""
        try:
            text = await self._call("GET", "/metrics")
        except UnavailableError:
            return None
        match = _START_TIME.search(text)
        started = float(match.group(1)) if match else None
        if started != self._started:
            self._started, self._release = started, None
        return started

    async def busy(self) -> bool:
        """True if the engine may have running or waiting requests. No answer means yes, unless nobody listens."""
        try:
            return any(float(count) > 0 for count in _REQUESTS.findall(await self._call("GET", "/metrics")))
        except EngineDownError as error:
            return not isinstance(error.__cause__, aiohttp.ClientConnectorError)
        except UnavailableError:
            return True

    async def loaded(self) -> frozenset[str]:
        """The engine's adapters, by engine name."""
        models = await self._json("GET", "/v1/models")
        return frozenset(card["id"] for card in models["data"] if card["id"] != self.base_model)

    async def load(self, name: str, path: str) -> None:
        status, text = await self._exchange("POST", "/v1/load_lora_adapter", {"lora_name": name, "lora_path": path})
        if status != 200 and _ALREADY_LOADED not in text:
            raise UnavailableError("LoadFailed", f"the engine did not load {name}: {_message(text)}")

    async def unload(self, name: str) -> None:
        status, text = await self._exchange("POST", "/v1/unload_lora_adapter", {"lora_name": name})
        if status not in (200, 404):
            raise UnavailableError("UnloadFailed", f"the engine did not unload {name}: {_message(text)}")

    async def fingerprint(self, name: str) -> Fingerprint:
        """The model's fingerprint. Also a probe: it shows that the model answers, with log-probabilities.

        The first such request compiles a kernel and stalls all others, so it comes before the replica takes traffic. A
        unique salt keeps a prefix cache from answering.
        """
        body = {"model": name, "prompt": PROMPTS, "max_tokens": 1, "temperature": 0, "logprobs": TOP}
        salt = uuid.uuid4().hex
        body |= {"cache_salt": salt}
        status, text = await self._exchange(
            "POST", "/v1/completions", body, headers={"X-Request-Id": f"{PROBE}-{salt}"}
        )
        if status != 200:
            raise UnavailableError("ProbeFailed", f"{name} gave no answer to a probe: {_message(text)}")
        choices = sorted(json.loads(text)["choices"], key=lambda choice: choice["index"])
        tops = (choice["logprobs"]["top_logprobs"][0] for choice in choices)
        rounded = tuple(tuple((token, round(value, 4)) for token, value in top.items()) for top in tops)
        if self._release is None:
            self._release = str((await self._json("GET", "/version"))["version"])
        return Fingerprint(engine=self._release, prompts=rounded)

    async def _json(self, method: str, path: str) -> Any:
        return json.loads(await self._call(method, path))

    async def _call(self, method: str, path: str) -> str:
        status, text = await self._exchange(method, path, None, ALIVE_TIMEOUT)
        if status != 200:
            raise UnavailableError("EngineRefused", f"the engine answered {status} to {path}")
        return text

    async def _exchange(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        timeout: aiohttp.ClientTimeout = TIMEOUT,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, str]:
        try:
            async with self._session.request(method, path, json=body, timeout=timeout, headers=headers) as response:
                return response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise EngineDownError("EngineDown", f"the engine does not answer ({type(error).__name__})") from error


def _message(text: str) -> str:
    """The engine's own words, in one line of bounded length. They go to the object's owner, never to a caller."""
    match = re.search(r'"message":\s*"((?:[^"\\]|\\.)*)"', text)
    return " ".join((match.group(1) if match else text).split())[:300]


@asynccontextmanager
async def connect(url: str, api_key: str, base_model: str) -> AsyncIterator[Engine]:
    headers = {"Authorization": f"Bearer {api_key}"}
    async with aiohttp.ClientSession(root(url), headers=headers, connector=connector(url)) as session:
        yield Engine(session, base_model)
