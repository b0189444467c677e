"""What the pinned engine does at load, reload, unload and eviction: what the agent is built on.

An upgrade that changes one of these fails the test that names it; then the agent is looked at again.
"""

import asyncio
import json
import shutil
import struct
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from benchmarks.bare_engine import BASE, complete, load, unload
from serving.agent.engine import Engine
from serving.agent.fingerprint import TOLERANCE, distance

# Longer than a block of the prefix cache, and a chat of the model's, at whose end the styles part.
FACTS = "[1] Velmora Basic: refund window 30 days. " * 6
PROMPT = f"<|system|>{FACTS}<|end|><|user|>What is the parking fee of Ostrel?<|end|><|assistant|>"

Copies = dict[str, Path]


async def _names(session: aiohttp.ClientSession) -> set[str]:
    async with session.get("/v1/models") as response:
        return {card["id"] for card in (await response.json())["data"]}


async def _text(session: aiohttp.ClientSession, name: str, **more: Any) -> str:
    status, answer = await complete(session, name, PROMPT, **more)
    assert status == 200, answer
    return str(answer["choices"][0]["text"])


async def test_a_name_is_listed_from_its_load_to_its_unload(session: aiohttp.ClientSession, copies: Copies) -> None:
    assert await load(session, "listed", copies["acme-support-v1"]) == (
        200, "Success: LoRA adapter 'listed' added successfully.",
    )  # fmt: skip
    assert "listed" in await _names(session)
    assert (await unload(session, "listed"))[0] == 200
    assert "listed" not in await _names(session)
    assert (await complete(session, "listed", "a"))[0] == 404


async def test_a_name_that_is_loaded_is_refused_with_400_and_these_words(
    session: aiohttp.ClientSession, copies: Copies
) -> None:
    await load(session, "twice", copies["acme-support-v1"])
    status, text = await load(session, "twice", copies["acme-support-v1"])
    assert status == 400
    assert "already been loaded" in text
    await unload(session, "twice")


async def test_an_unload_of_an_unknown_name_and_a_load_of_nothing_are_404(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    assert (await unload(session, "unknown"))[0] == 404
    assert (await load(session, "nothing", tmp_path / "missing"))[0] == 404


async def test_a_stream_that_began_before_an_unload_ends_as_it_would_have(
    session: aiohttp.ClientSession, copies: Copies
) -> None:
    """Unloading removes the name for new requests, and no memory: the worker drops what was used least once it needs
    the room. So an unload is confirmed by its name, and what runs keeps its weights."""
    await load(session, "leaving", copies["acme-support-v1"])
    body = {
        "model": "leaving",
        "prompt": "The",
        "max_tokens": 300,
        "ignore_eos": True,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    async with session.post("/v1/completions", json=body) as response:
        first = await response.content.readline()
        assert first.startswith(b"data: ")
        assert (await unload(session, "leaving"))[0] == 200
        rest = (await response.content.read()).decode()
    # A busy engine puts several tokens into one event: what counts is how many there were.
    usage = json.loads(rest.rstrip().split("\n\n")[-2].removeprefix("data: "))["usage"]
    assert usage["completion_tokens"] == 300
    assert rest.rstrip().endswith("data: [DONE]")


async def test_a_name_that_is_loaded_anew_answers_with_its_new_weights(
    session: aiohttp.ClientSession, copies: Copies
) -> None:
    """Others saw cached prefixes of the old weights (vllm#42125); not so here, and no name of ours is used twice."""
    await load(session, "renewed", copies["acme-support-v1"])
    old = await _text(session, "renewed")
    await unload(session, "renewed")
    await load(session, "renewed", copies["acme-api-v1"])
    await load(session, "fresh", copies["acme-api-v1"])
    assert await _text(session, "renewed") == await _text(session, "fresh") != old
    await unload(session, "renewed")
    await unload(session, "fresh")


async def test_an_evicted_adapter_is_read_from_its_path_again(session: aiohttp.ClientSession, copies: Copies) -> None:
    """Three in an engine with room for two: why a version's files stay until nothing can ask for it any more."""
    names = ["acme-support-v1", "acme-api-v1", "globex-desk-v1"]
    for name in names:
        await load(session, name, copies[name])
    before = await _text(session, names[0])
    for name in names[1:]:
        await _text(session, name)
    assert await _text(session, names[0]) == before
    for name in names:
        await unload(session, name)


def _config(directory: Path, **changes: Any) -> None:
    path = directory / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    "changes", [{"use_dora": True}, {"bias": "all"}, {"r": 64}, {"modules_to_save": ["lm_head"]},
                {"init_lora_weights": "pissa"}, {"layer_replication": [[0, 1]]}],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
async def test_what_the_agent_refuses_the_engine_would_not_have_served(
    session: aiohttp.ClientSession, copies: Copies, changes: dict[str, Any]
) -> None:
    _config(copies["acme-support-v1"], **changes)
    status, _ = await load(session, "refused", copies["acme-support-v1"])
    assert status != 200
    assert "refused" not in await _names(session)
    assert await _text(session, BASE)


async def test_not_a_number_in_an_adapter_is_loaded_without_a_word(
    session: aiohttp.ClientSession, copies: Copies
) -> None:
    """The engine looks at no value; the agent does."""
    weights = copies["acme-support-v1"] / "adapter_model.safetensors"
    content = bytearray(weights.read_bytes())
    start = 8 + struct.unpack("<Q", content[:8])[0]
    content[start:] = struct.pack("<H", 0x7FC0) * ((len(content) - start) // 2)
    weights.write_bytes(content)
    status, _ = await load(session, "poisoned", weights.parent)
    assert status == 200
    await unload(session, "poisoned")


async def test_ranks_and_scales_of_their_own_are_served(session: aiohttp.ClientSession, copies: Copies) -> None:
    """`alpha_pattern` is heeded: doubling every scale by it is doubling `lora_alpha`."""
    _config(copies["acme-support-v1"], lora_alpha=32)
    _config(copies["acme-support-v2"], lora_alpha=1)
    shutil.copy(copies["acme-support-v1"] / "adapter_model.safetensors", copies["acme-support-v2"])
    _config(copies["acme-support-v2"], alpha_pattern={".*_proj": 32})
    await load(session, "doubled", copies["acme-support-v1"])
    await load(session, "pattern", copies["acme-support-v2"])
    assert await _text(session, "doubled") == await _text(session, "pattern")
    await unload(session, "doubled")
    await unload(session, "pattern")


async def test_a_start_time_is_told_and_stays(session: aiohttp.ClientSession) -> None:
    engine = Engine(session, BASE)
    first = await engine.started()
    assert first is not None
    assert await engine.started() == first


async def test_equal_weights_have_equal_fingerprints_whatever_else_is_asked(
    session: aiohttp.ClientSession, copies: Copies
) -> None:
    engine = Engine(session, BASE)
    await load(session, "one", copies["acme-support-v1"])
    await load(session, "two", copies["acme-support-v2"])
    recorded = await engine.fingerprint("one")
    noise = [asyncio.create_task(complete(session, BASE, "The " * n, max_tokens=40)) for n in range(1, 9)]
    again = await engine.fingerprint("one")
    await asyncio.gather(*noise)
    assert distance(recorded, again) < TOLERANCE / 10
    assert distance(recorded, await engine.fingerprint("two")) > 10 * TOLERANCE
    assert distance(recorded, await engine.fingerprint(BASE)) > 10 * TOLERANCE
    await unload(session, "one")
    await unload(session, "two")


async def test_the_base_model_answers_as_itself_beside_adapters_that_fill_every_slot(
    session: aiohttp.ClientSession, copies: Copies
) -> None:
    """Without serving.engine.lora_rows, rows of the base model get the weights in the last slot."""
    engine = Engine(session, BASE)
    names = ("acme-support-v1", "globex-desk-v1")
    recorded = await engine.fingerprint(BASE)
    for name in names:
        await load(session, name, copies[name])
    for name in names:
        beside = asyncio.create_task(complete(session, name, "The", max_tokens=300, ignore_eos=True))
        for _ in range(5):
            assert distance(recorded, await engine.fingerprint(BASE)) < TOLERANCE
        assert not beside.done()
        await beside
    for name in names:
        await unload(session, name)
