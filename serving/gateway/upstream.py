"""A request to an engine, and the relay of its answer."""

import asyncio
import logging
import time
from collections.abc import Callable

from serving.gateway import answers, sse
from serving.gateway.accounts import Accounts
from serving.gateway.answers import PlainStream, RewrittenStream, Stream
from serving.gateway.balance import by_load, by_name
from serving.gateway.catalog import Base, Catalog, Target
from serving.gateway.engine import Answer, Engine, EngineError, EngineNeverBegan
from serving.gateway.engine_refusals import refusal
from serving.gateway.errors import unavailable
from serving.gateway.grounds import Grounds
from serving.gateway.held_requests import HeldRequests, starting
from serving.gateway.in_flight import InFlight
from serving.gateway.raw_request import EVENT_STREAM, JSON
from serving.gateway.request_context import RequestContext

logger = logging.getLogger(__name__)

# Seconds. Kinds of objects are watched separately, and one may arrive so much later than another.
CATALOG_LAG_S = 0.5
ATTEMPTS = 2
# Seconds between a held request's looks for an engine.
HELD_LOOK_S = 0.1
# Seconds between tries of an engine that is listed and does not answer.
LONGEST_PAUSE_S = 2.0


class Upstream:
    """`first_token_timeout_s` bounds the wait for a stream's first token."""

    def __init__(
        self,
        catalog: Callable[[], Catalog],
        engine: Engine,
        accounts: Accounts,
        held: HeldRequests,
        *,
        first_token_timeout_s: float,
    ) -> None:
        self._held = held
        self._catalog = catalog
        self._engine = engine
        self._accounts = accounts
        self._first_token_timeout_s = first_token_timeout_s
        self._replicas = InFlight()

    async def forward(self, context: RequestContext, body: dict[str, object], grounds: Grounds | None) -> None:
        """Raises Unavailable. Where no engine runs while nobody asks, the request waits for one to start."""
        if await self._forward(context, body, grounds):
            return
        base = self._catalog().bases.get(context.target.base_model)
        if base and base.hold_s and await self._hold(context, body, grounds, base):
            return
        context.record.failed = context.record.no_engine = True
        if base and base.hold_s:
            raise starting(f"The engine for `{context.target.label}` is still starting")
        raise unavailable(f"No engine can answer for `{context.target.label}` at the moment", "engine_unavailable")

    async def _hold(
        self, context: RequestContext, body: dict[str, object], grounds: Grounds | None, base: Base
    ) -> bool:
        """True once an engine has answered. The last engine may have ended as the request reached it, so each one that
        turns up is tried, and less and less often."""
        deadline, pause_s = time.monotonic() + base.hold_s, HELD_LOOK_S
        while time.monotonic() < deadline:
            with self._held.one(base.name, context.target.tenant):
                await asyncio.sleep(pause_s)
                while not self._candidates(context.target) and time.monotonic() < deadline:  # noqa: ASYNC110
                    await asyncio.sleep(HELD_LOOK_S)
            if self._candidates(context.target) and await self._forward(context, body, grounds):
                return True
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        return False

    async def _forward(self, context: RequestContext, body: dict[str, object], grounds: Grounds | None) -> bool:
        """False if no engine began to answer. A second attempt is made only then."""
        for url in await self._wait_for_replicas(context.target):
            with self._replicas.hold(url):
                try:
                    await self._try(context, url, body, grounds)
                    return True
                except EngineNeverBegan as error:
                    logger.warning("engine %s, request %s: %s", url, context.raw.request_id, error)
                except EngineError as error:
                    context.record.failed = True
                    logger.warning("engine %s, request %s: %s", url, context.raw.request_id, error)
                    raise unavailable("The engine failed", "engine_failed") from error
        return False

    async def _wait_for_replicas(self, target: Target) -> list[str]:
        """Kinds are watched separately: a version may be known a moment before its replicas."""
        deadline = time.monotonic() + CATALOG_LAG_S
        while not (replicas := self._candidates(target)) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        return replicas

    def _candidates(self, target: Target) -> list[str]:
        """URLs of replicas with the version, the preferred one first. A single one stands twice: its connection may be
        stale."""
        loads = {replica.url: self._replicas.count(replica.url) for replica in self._catalog().holders(target)}
        urls = by_load(loads)
        if target.is_on_demand and target.engine_name:
            urls = by_name(loads, f"{target.tenant}.{target.name}", target.homes)
        return (urls * ATTEMPTS)[:ATTEMPTS]

    async def _try(self, context: RequestContext, url: str, body: dict[str, object], grounds: Grounds | None) -> None:
        context.record.sent = time.monotonic()
        headers_timeout_s = self._first_token_timeout_s if context.request.stream else None
        async with self._engine.post(
            url,
            context.raw.path,
            body,
            request_id=context.next_engine_id(),
            headers_timeout_s=headers_timeout_s,
        ) as answer:
            if answer.status == 400:
                raise refusal(await answer.body(), field=context.request.field)
            if answer.status == 404:
                raise EngineNeverBegan("the engine does not have the version: it may have restarted")
            if answer.status != 200:
                raise EngineError(f"status {answer.status}")
            if context.request.stream:
                await self._relay(context, answer, grounds)
            else:
                await self._respond(context, answer, grounds)

    async def _respond(self, context: RequestContext, answer: Answer, grounds: Grounds | None) -> None:
        raw = await answer.body()
        context.record.begin_answer()
        context.record.answered = context.record.first_byte
        result = answers.whole(raw, name=context.target.label, grounds=grounds, legacy=context.legacy)
        context.record.tokens, context.record.finish_reason, context.record.cited = (
            result.tokens,
            result.finish_reason,
            result.cited,
        )
        self._accounts.count_removed(context.record, result.removed_marks)
        await context.raw.respond(200, result.body, JSON)

    async def _relay(self, context: RequestContext, answer: Answer, grounds: Grounds | None) -> None:
        stream = _stream(context, grounds)
        context.record.tokens, context.record.streamed = stream.tokens, True
        async for block in sse.blocks(answer.chunks(self._first_token_timeout_s)):
            if sse.fails(block):
                raise EngineError("the engine failed after it had begun")
            context.record.answered = time.monotonic()
            if not context.raw.started:
                context.record.begin_answer()
                await context.raw.start(200, EVENT_STREAM)
            await context.raw.write(stream.feed(block), more=True)
        if not stream.finished:
            raise EngineError("the stream ended without [DONE]")
        await context.raw.write(b"", more=False)
        context.record.finish_reason, context.record.cited = stream.finish_reason, stream.cited
        self._accounts.count_removed(context.record, stream.removed_marks)


def _stream(context: RequestContext, grounds: Grounds | None) -> Stream:
    name, show_usage = context.target.label, context.request.show_usage
    if grounds is not None or context.legacy:
        return RewrittenStream(grounds, name=name, show_usage=show_usage, legacy=context.legacy)
    return PlainStream(engine_name=context.target.engine_name or "", name=name, show_usage=show_usage)
