"""The process as it is deployed: it starts from the environment, answers, and stops with what it knows."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.serving.drift.conftest import TOKEN
from tests.serving.drift.traffic import Traffic, observations

COMMAND = (sys.executable, "-m", "serving.drift")
SETTINGS = {"HOST": "127.0.0.1", "PORT": "0", "TOKEN": TOKEN}


@asynccontextmanager
async def running(state: Path) -> AsyncIterator[aiohttp.ClientSession]:
    environment = os.environ | {f"QUIVER_DRIFT_{name}": value for name, value in SETTINGS.items()}
    process = await asyncio.create_subprocess_exec(
        *COMMAND, env=environment | {"QUIVER_DRIFT_STATE": str(state)}, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        said = await asyncio.wait_for(process.stderr.readuntil(b"listening on http://127.0.0.1:"), 30)
        said += await asyncio.wait_for(process.stderr.readline(), 30)
        (address,) = re.findall(r"listening on (\S+)", said.decode())
        async with aiohttp.ClientSession(address, headers={"Authorization": f"Bearer {TOKEN}"}) as session:
            yield session
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 30)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def reference_samples(session: aiohttp.ClientSession) -> int:
    async with session.get("/v1/drift") as reply:
        shown = await reply.json()
        return int(shown["tenants"]["acme"]["query_embedding"]["reference_samples"])


async def test_a_restarted_process_keeps_the_reference(tmp_path: Path) -> None:
    sent = observations("acme", Traffic(seed=40).queries(45))
    async with running(tmp_path) as session:
        await session.put("/v1/tenants", json={"tenants": ["acme"]})
        async with session.post("/v1/observations", json={"observations": sent}) as reply:
            assert reply.status == 202
    async with running(tmp_path) as session:
        assert await reference_samples(session) == 45


async def test_a_process_without_settings_says_which() -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("QUIVER_")}
    process = await asyncio.create_subprocess_exec(*COMMAND, env=bare, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    assert process.returncode == 1
    assert said.decode().startswith("the settings of serving.drift are not valid: QUIVER_DRIFT_TOKEN: Field required")
    assert b"Traceback" not in said
