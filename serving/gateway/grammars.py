"""Schemas and grammars are compiled here before an engine receives them.

A separate process with limits on time and memory compiles them, so a bad one harms no other request. Its compiler is
llguidance; most engines use xgrammar, which needs torch. `requests.json_schema` bounds what is slow in xgrammar.
"""

import asyncio
import hashlib
import sys
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from serving.gateway.errors import InvalidRequest, Unavailable

# A process takes about 0.1 s, mostly to start, so the results of this many schemas are kept.
REMEMBERED = 4096
AT_ONCE = 2
# For a machine too busy to start the process; the process itself limits the compilation.
GIVE_UP_S = 60.0
# The exit status of a process out of memory. A process out of time is killed by a signal.
OUT_OF_MEMORY_STATUS = 3
_OVER_LIMITS = "it takes too much time or memory; make it smaller"
_CHILD = "serving.gateway.grammar_child"

# The field of the request, its type in llguidance (json, regex, grammar), and the text.
Grammar = tuple[str, str, str]


class Grammars:
    """Results are kept separately for each tenant: a fast shared result would reveal another tenant's schema."""

    def __init__(self) -> None:
        self._faults: OrderedDict[bytes, str] = OrderedDict()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._tenants: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def check(self, tenant: str, grammars: Sequence[Grammar]) -> None:
        """Raises InvalidRequest with the compiler's message for the first refused grammar."""
        by_key = {_key(tenant, grammar): grammar for grammar in grammars}
        faults = self._cached(by_key)
        if len(faults) < len(by_key):
            async with self._tenants[tenant]:  # one tenant's many schemas do not delay another's
                faults = self._cached(by_key)  # an equal request may have compiled them meanwhile
                new = {key: grammar for key, grammar in by_key.items() if key not in faults}
                faults |= zip(new, await self._compile(list(new.values())), strict=True)
            self._remember(faults)
        for grammar in grammars:
            if fault := faults[_key(tenant, grammar)]:
                raise InvalidRequest(f"`{grammar[0]}` cannot be compiled: {fault}.", code="invalid_schema",
                                     param=grammar[0])  # fmt: skip

    def _cached(self, keys: Iterable[bytes]) -> dict[bytes, str]:
        return {key: self._faults[key] for key in keys if key in self._faults}

    def _remember(self, faults: Mapping[bytes, str]) -> None:
        self._faults.update(faults)
        while len(self._faults) > REMEMBERED:
            self._faults.popitem(last=False)

    async def _compile(self, grammars: Sequence[Grammar]) -> list[str]:
        """The error of each grammar, "" if it has none. All in one process; if that exceeds a limit, each in a process
        of its own, so one does not fail others."""
        if not grammars:
            return []
        faults = await self._compiled(grammars)
        if faults is None and len(grammars) > 1:
            return [fault for grammar in grammars for fault in await self._compile([grammar])]
        return faults or [_OVER_LIMITS]

    async def _compiled(self, grammars: Sequence[Grammar]) -> list[str] | None:
        """As `_compile`, or None if the process exceeded a limit."""
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
        if process.returncode == OUT_OF_MEMORY_STATUS or (process.returncode or 0) < 0:
            return None
        if process.returncode:
            raise _unavailable()
        return [_one_line(fault) for fault in orjson.loads(out)]


def _unavailable() -> Unavailable:
    return Unavailable("Schemas cannot be compiled at the moment; try again in 5 s.",
                       code="schema_compiler_unavailable", retry_after_s=5)  # fmt: skip


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()


def _key(tenant: str, grammar: Grammar) -> bytes:
    return hashlib.sha256("\0".join((tenant, *grammar[1:])).encode()).digest()


def _one_line(fault: Any) -> str:
    """The compiler's message in one line. For a regular expression it shows the place first, the reason last."""
    lines = [line.strip() for line in str(fault).strip().splitlines() if line.strip(" ^-")]
    reason = next((line for line in lines if line.startswith("error:")), "") if lines[1:] else ""
    return " ".join(filter(None, (*lines[:1], reason)))[:300]
