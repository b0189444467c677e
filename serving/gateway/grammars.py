"""Schemas and grammars are compiled here before an engine sees them.

In a separate process, with limits on time and memory, so a bad one harms no other request. The compiler (llguidance)
differs from most engines' (xgrammar, needing torch): `requests.json_schema` bounds the latter's slow cases.
"""

import asyncio
import hashlib
import sys
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from typing import Any

import orjson

from serving.gateway.errors import InvalidRequest, Unavailable

# A process takes some 0.1 s, mostly for its start; a repeated schema is not compiled again.
REMEMBERED = 4096
AT_ONCE = 2
# For a machine too busy to start the process: the compilation's own limits are in the process.
GIVE_UP_S = 60.0
# The status of a process out of memory. One out of time ends by a signal.
OVER_LIMITS = 3
_OVER_LIMITS = "it takes too much time or memory; make it smaller"
_CHILD = "serving.gateway.grammar_child"

# The field of the request, its type in llguidance (json, regex, grammar), and the text.
Grammar = tuple[str, str, str]


class Grammars:
    """Results are kept apart for each tenant: a shared result's speed would reveal another tenant's schema."""

    def __init__(self) -> None:
        self._faults: OrderedDict[bytes, str] = OrderedDict()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._tenants: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def check(self, tenant: str, grammars: Sequence[Grammar]) -> None:
        """Raises InvalidRequest with the compiler's words for the first refused grammar."""
        new = [grammar for grammar in grammars if _key(tenant, grammar) not in self._faults]
        if new:
            async with self._tenants[tenant]:  # one tenant's many schemas do not hold up another's
                await self._compile(tenant, new)
        for grammar in grammars:
            if fault := self._faults[_key(tenant, grammar)]:
                raise InvalidRequest(f"`{grammar[0]}` cannot be compiled: {fault}.", code="invalid_schema",
                                     param=grammar[0])  # fmt: skip

    async def _compile(self, tenant: str, grammars: Sequence[Grammar]) -> None:
        """All in one process; if it exceeds a limit, each in one of its own, so none pays for another."""
        faults = await self._compiled(grammars)
        if faults is None and len(grammars) > 1:
            for grammar in grammars:
                await self._compile(tenant, [grammar])
            return
        for grammar, fault in zip(grammars, faults or [_OVER_LIMITS], strict=True):
            self._remember(_key(tenant, grammar), fault)

    def _remember(self, key: bytes, fault: str) -> None:
        self._faults[key] = fault
        if len(self._faults) > REMEMBERED:
            self._faults.popitem(last=False)

    async def _compiled(self, grammars: Sequence[Grammar]) -> list[str] | None:
        """The fault of each, or nothing. None where the process ran into a limit."""
        async with self._turns:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-m", _CHILD, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL, env={},
            )  # fmt: skip
            try:
                out, _ = await asyncio.wait_for(
                    process.communicate(orjson.dumps([grammar[1:] for grammar in grammars])), GIVE_UP_S
                )
            except TimeoutError as error:
                raise _unavailable() from error
            finally:
                await _ended(process)
        if process.returncode == OVER_LIMITS or (process.returncode or 0) < 0:
            return None
        if process.returncode:
            raise _unavailable()
        return [_first_line(fault) for fault in orjson.loads(out)]


def _unavailable() -> Unavailable:
    return Unavailable("Schemas cannot be compiled at the moment; try again in 5 s.",
                       code="schema_compiler_unavailable", retry_after_s=5)  # fmt: skip


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()


def _key(tenant: str, grammar: Grammar) -> bytes:
    return hashlib.sha256("\0".join((tenant, *grammar[1:])).encode()).digest()


def _first_line(fault: Any) -> str:
    """The compiler's words in one line: of an expression it points to the place, the reason comes last."""
    lines = [line.strip() for line in str(fault).strip().splitlines() if line.strip(" ^-")]
    reason = next((line for line in lines if line.startswith("error:")), "") if lines[1:] else ""
    return " ".join(filter(None, (*lines[:1], reason)))[:300]
