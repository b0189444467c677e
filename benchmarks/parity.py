"""`make bench-parity`: does an answer through the gateway differ from the engine's own?

Protocol: 200 shapes of requests, each whole and streamed, greedy or with a seed, one at a time; the same body to the
gateway and to the engine behind it. Names, ids and times apart, every field must be equal; streams are compared as
assembled, because an engine cuts them by its own timing; log-probabilities within the engine's own noise.
"""

import argparse
import asyncio
import itertools
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from benchmarks import direct, quality
from benchmarks.load import QUESTION
from benchmarks.report import Bar, report
from examples.demo.platform import Platform, running
from examples.demo.workspace import AlreadyRunning, alone, clear
from service.addresses import connector, root

ROOT = Path("build/parity")
BASE = "quiver-demo"
# Made anew for every answer, or the engine's own name for a version.
RENAMED = frozenset({"id", "created", "model"})
# Nats, between two computations of the same token by this engine.
NOISE = 0.1

Body = dict[str, Any]

SCHEMA = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 20}}, "required": ["a"],
          "additionalProperties": False}  # fmt: skip
FUNCTION = {"name": "look_up", "description": "Facts.", "parameters": SCHEMA}
TOOLS = [{"type": "function", "function": {**FUNCTION, "strict": True}}]
CALL = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"a":"x"}'}}

CONVERSATIONS: Mapping[str, list[Body]] = {
    "question": [{"role": "user", "content": QUESTION}],
    "system": [{"role": "system", "content": "Answer in brief."}, {"role": "user", "content": QUESTION}],
    "parts": [{"role": "user", "content": [{"type": "text", "text": "Hello."}, {"type": "text", "text": QUESTION}]}],
    "turns": [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hello, how can I help?"},
        {"role": "user", "content": QUESTION},
    ],
    "tool result": [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "content": "30 days", "tool_call_id": "call_1"},
    ],
    "letters": [{"role": "user", "content": 'Ünïcödé, 한국어, "quotes", \\ and \n lines'}],
}
OPTIONS: Mapping[str, Body] = {
    "plain": {},
    "several": {"n": 3, "temperature": 0.7, "seed": 7},
    "seed": {"temperature": 1, "seed": 3},
    "logprobs": {"logprobs": True},
    "top_logprobs": {"logprobs": True, "top_logprobs": 5},
    "stop": {"stop": "."},
    "stops": {"stop": ["not", "days"]},
    "one token": {"max_tokens": 1},
    "completion tokens": {"max_completion_tokens": 5},
    "min_tokens": {"min_tokens": 20, "max_tokens": 24},
    "top_p": {"temperature": 0.9, "seed": 1, "top_p": 0.5},
    "top_k": {"temperature": 0.9, "seed": 1, "top_k": 4},
    "min_p": {"temperature": 0.9, "seed": 1, "min_p": 0.2},
    "presence": {"presence_penalty": 1.5},
    "frequency": {"frequency_penalty": 1.5},
    "repetition": {"repetition_penalty": 1.3},
    "bias": {"logit_bias": {"100": -100, "200": 5}},
    "stop_token_ids": {"stop_token_ids": [10, 11, 12]},
    "json_object": {"response_format": {"type": "json_object"}, "max_tokens": 40},
    "schema": {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}},
    "strict schema": {
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA, "strict": True}}
    },
    "choice": {"structured_outputs": {"choice": ["yes", "no"]}},
    "regex": {"structured_outputs": {"regex": "[a-z]{4}"}},
    "json": {"structured_outputs": {"json": SCHEMA}},
    "grammar": {"structured_outputs": {"grammar": 'root ::= "a" | "b"'}},
    "tools": {"tools": TOOLS},
    "no call": {"tools": TOOLS, "tool_choice": "none"},
    "required": {"tools": TOOLS, "tool_choice": "required"},
    "named": {"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "look_up"}}},
    "one call": {"tools": TOOLS, "tool_choice": "required", "parallel_tool_calls": False},
    "unused": {"user": "u", "store": False, "metadata": {"a": "b"}, "service_tier": "auto"},
    "nulls": {"stop": None, "tools": None, "logit_bias": None, "seed": None},
}
COMPLETIONS: Mapping[str, Body] = {
    "text": {"prompt": "The refund window is"},
    "texts": {"prompt": ["The refund window is", "Hello"]},
    "echo": {"prompt": "Hello there", "echo": True},
    "logprobs": {"prompt": "Hello", "logprobs": 3},
    "several": {"prompt": "Hello", "n": 2, "temperature": 0.8, "seed": 5},
    "stop": {"prompt": "Hello", "stop": ["e"]},
    "choice": {"prompt": "Hello", "structured_outputs": {"choice": ["a", "b"]}},
    "bias": {"prompt": "Hello", "logit_bias": {"5": 10}},
}


@dataclass(frozen=True)
class Shape:
    name: str
    path: str
    body: Body


def shapes() -> Iterator[Shape]:
    for (words, messages), (what, options) in itertools.product(CONVERSATIONS.items(), OPTIONS.items()):
        body = {"max_tokens": 16, "temperature": 0, "messages": messages, **options}
        yield Shape(f"{words}, {what}", "/v1/chat/completions", body)
    for what, options in COMPLETIONS.items():
        yield Shape(f"completion, {what}", "/v1/completions", {"max_tokens": 16, "temperature": 0, **options})


@dataclass(frozen=True)
class Server:
    url: str
    key: str
    model: str

    async def ask(self, session: aiohttp.ClientSession, shape: Shape, *, stream: bool) -> tuple[int, Any]:
        more: Body = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
        headers = {"authorization": f"Bearer {self.key}"}
        body = {**shape.body, **more, "model": self.model}
        async with session.post(root(self.url) + shape.path, json=body, headers=headers) as response:
            raw = await response.read()
        if response.status != 200:
            return response.status, None
        return 200, assembled(raw) if stream else _without_names(orjson.loads(raw))


def assembled(raw: bytes) -> Any:
    """A stream as one value: texts and lists joined, the last of everything else. Raises ValueError unless it ended."""
    *events, end = [event.removeprefix("data: ") for event in raw.decode().split("\n\n") if event]
    if end != "[DONE]":
        raise ValueError(f"a stream ended with {end[:80]}")
    whole: Any = {}
    for event in events:
        chunk = _without_names(orjson.loads(event))
        choices = {str(choice["index"]): choice for choice in chunk.pop("choices")}
        whole = _joined(whole, {**chunk, "choices": choices})
    return whole


def _joined(before: Any, after: Any) -> Any:
    if isinstance(before, dict) and isinstance(after, dict):
        return before | {key: _joined(before.get(key), value) for key, value in after.items()}
    if isinstance(before, list) and isinstance(after, list):
        return _joined_calls(before, after) if _are_calls(after) else before + after
    if isinstance(before, str) and isinstance(after, str):
        return before if before == after and len(before) > 2 else before + after
    return before if after is None else after


def _are_calls(value: list[Any]) -> bool:
    return bool(value) and isinstance(value[0], dict) and "function" in value[0]


def _joined_calls(before: list[Any], after: list[Any]) -> list[Any]:
    by_index = {call["index"]: call for call in before}
    for call in after:
        by_index[call["index"]] = _joined(by_index.get(call["index"]), call)
    return [by_index[index] for index in sorted(by_index)]


def _without_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_names(item) for key, item in value.items() if key not in RENAMED}
    return [_without_names(item) for item in value] if isinstance(value, list) else value


def differences(ours: Any, theirs: Any, at: str = "") -> list[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        missing = [f"{at}.{key} on one side only" for key in sorted(ours.keys() ^ theirs.keys())]
        both = (differences(ours[key], theirs[key], f"{at}.{key}") for key in ours.keys() & theirs.keys())
        return missing + list(itertools.chain.from_iterable(both))
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [text for number, (a, b) in pairs for text in differences(a, b, f"{at}[{number}]")]
    if isinstance(ours, float) and isinstance(theirs, float):
        return [] if abs(ours - theirs) <= NOISE else [f"{at}: {ours} and {theirs}"]
    return [] if ours == theirs else [f"{at}: {ours!r:.80} and {theirs!r:.80}"]


@dataclass
class Comparison:
    """`answered` counts the pairs of 200: two refusals are equal, and say little."""

    answered: int = 0
    differences: list[str] = field(default_factory=list)


async def compare(gateway: Server, engine: Server, asked: list[Shape]) -> Comparison:
    result = Comparison()
    timeout = aiohttp.ClientTimeout(total=120)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        aiohttp.ClientSession(timeout=timeout, connector=connector(engine.url)) as behind,
    ):
        for number, (shape, stream) in enumerate(itertools.product(asked, (False, True))):
            ours = await gateway.ask(session, shape, stream=stream)
            theirs = await engine.ask(behind, shape, stream=stream)
            way = "streamed" if stream else "whole"
            result.answered += ours[0] == theirs[0] == 200
            result.differences += [f"{shape.name}, {way}: {text}" for text in differences(list(ours), list(theirs))]
            if number % 50 == 49:
                print(f"  {number + 1} of {2 * len(asked)}, {len(result.differences)} differences", flush=True)
    return result


def _measured(platform: Platform, asked: list[Shape]) -> Comparison:
    engine = direct.engine(platform)
    gateway = Server(platform.url.removesuffix("/v1"), platform.keys["acme"], BASE)
    return asyncio.run(compare(gateway, Server(engine.url, engine.key, BASE), asked))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="every fourth shape")
    asked = list(shapes())[:: 4 if parser.parse_args().quick else 1]
    try:
        with alone(ROOT):
            clear(ROOT)
            with running(quality.objects(ROOT, []), tenants=("acme",), out=sys.stderr) as platform:
                platform.wait_until_ready()
                result = _measured(platform, asked)
    except AlreadyRunning as error:
        sys.exit(f"bench-parity: {error}")
    for text in result.differences:
        print(text)
    bars = {
        "parity": Bar(len(result.differences), 0, "differences", at_most=True),
        "answered": Bar(result.answered, 2 * len(asked), "answers"),
    }
    return report("parity", bars, notes=result.differences)


if __name__ == "__main__":
    sys.exit(main())
