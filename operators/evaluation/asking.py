"""Asks the platform's API the questions of an evaluation."""

import asyncio
import json
import time
from collections.abc import Collection, Mapping
from typing import Any

from operators.clients.public_client import PublicClient, RefusedError
from tuning.evaluation.run import NotAnsweredError

PATIENCE_S = 600.0  # without any answer
LISTED_S, LOOK_S = 120.0, 2.0
_OF_THIS_REQUEST = (400, 413)  # statuses of refusals of one request alone


class Asking:
    """Waits for a while if the API is busy or the tenant's limit is reached."""

    def __init__(self, client: PublicClient) -> None:
        self._client = client
        self._last_answer = time.monotonic()

    async def ask(self, body: Mapping[str, Any]) -> tuple[Mapping[str, Any], float]:
        """Raises NotAnsweredError for a refusal of this request, and RefusedError for one of every request."""
        while True:
            begun = time.monotonic()
            reply = await self._client.reply("POST", "/v1/chat/completions", json=body)
            if reply.retry_after_s is not None:
                await self._wait(reply.retry_after_s, reply.refusal)
                continue
            if reply.refusal and reply.status not in _OF_THIS_REQUEST:
                raise RefusedError(f"{reply.refusal} The same command goes on once this is put right.")
            self._last_answer = time.monotonic()
            if reply.refusal:
                raise NotAnsweredError(reply.refusal)
            return reply.body, time.monotonic() - begun

    async def _wait(self, seconds: float, refusal: str) -> None:
        if time.monotonic() + seconds - self._last_answer > PATIENCE_S:
            raise RefusedError(f"{refusal} The same command goes on once it answers.")
        await asyncio.sleep(seconds)


async def place_of(client: PublicClient, models: Collection[str]) -> str:
    """The API's address, and the versions of the models: a newly released adapter counts as another one."""
    listed = (await client.answer("GET", "/v1/models"))["data"]
    versions = {model["id"]: sorted(map(str, model.get("versions") or ())) for model in listed if model["id"] in models}
    return json.dumps([client.url, versions], sort_keys=True)


async def until_listed(client: PublicClient, models: Collection[str]) -> None:
    """Waits until the API answers and lists all models, also over a restart of the gateway. Raises RefusedError."""
    names = {model.partition("@")[0] for model in models}
    deadline = time.monotonic() + LISTED_S
    while fault := await _unlisted(client, names):  # no event announces a starting gateway
        if time.monotonic() > deadline:
            raise RefusedError(fault)
        await asyncio.sleep(LOOK_S)


async def _unlisted(client: PublicClient, names: Collection[str]) -> str:
    try:
        listed = (await client.answer("GET", "/v1/models"))["data"]
    except RefusedError as error:
        return str(error)
    missing = sorted(set(names) - {model["id"] for model in listed})
    return f"There is no model {', '.join(missing)} for this tenant: correct the variants." if missing else ""
