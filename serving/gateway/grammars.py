"""Schemas and grammars are compiled here before an engine is asked to.

In a process of its own, with limits on time and memory, so that a bad one harms nobody. The compiler (llguidance) is
not the one of most engines (xgrammar, which needs torch): what that one takes long for, `requests.json_schema` bounds.
"""

import asyncio
import hashlib
import sys
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import orjson

from serving.gateway.errors import InvalidRequest, Unavailable

# A process takes some 0.1 s, and most of that is its start; a schema that a caller sends again is not compiled again.
REMEMBERED = 4096
AT_ONCE = 2
# For a machine so busy that the process does not even start: what a compilation may cost is limited in the process.
GIVE_UP_S = 60.0
_CHILD = "serving.gateway.grammar_child"

# The field of the request, what it is, as llguidance names it (json, regex, grammar), and the text.
Grammar = tuple[str, str, str]


class Grammars:
    def __init__(self) -> None:
        self._faults: OrderedDict[bytes, str] = OrderedDict()
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def check(self, grammars: Sequence[Grammar]) -> None:
        """Raises InvalidRequest with the compiler's words for the first grammar that it refuses."""
        new = [grammar for grammar in grammars if self._fault(grammar) is None]
        if new:
            self._remember(new, await self._compiled(new))
        for grammar in grammars:
            if fault := self._fault(grammar):
                raise InvalidRequest(f"`{grammar[0]}` cannot be compiled: {fault}.", code="invalid_schema",
                                     param=grammar[0])  # fmt: skip

    def _fault(self, grammar: Grammar) -> str | None:
        """None where it was not compiled yet."""
        return self._faults.get(_key(grammar))

    def _remember(self, grammars: Sequence[Grammar], faults: Sequence[str]) -> None:
        for grammar, fault in zip(grammars, faults, strict=True):
            self._faults[_key(grammar)] = fault
        while len(self._faults) > REMEMBERED:
            self._faults.popitem(last=False)

    async def _compiled(self, grammars: Sequence[Grammar]) -> list[str]:
        """Each one's fault, or nothing. One that is over the limits takes those beside it along."""
        async with self._turns:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-m", _CHILD, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL, env={},
            )  # fmt: skip
            try:
                out, _ = await asyncio.wait_for(process.communicate(orjson.dumps([g[1:] for g in grammars])), GIVE_UP_S)
            except TimeoutError as error:
                raise Unavailable("Schemas cannot be compiled at the moment; try again in 5 s.",
                                  code="schema_compiler_unavailable", retry_after_s=5) from error  # fmt: skip
            finally:
                await _ended(process)
        if process.returncode:
            return ["it takes too much time or memory; make it smaller"] * len(grammars)
        return [_first_line(fault) for fault in orjson.loads(out)]


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()


def _key(grammar: Grammar) -> bytes:
    return hashlib.sha256("\0".join(grammar[1:]).encode()).digest()


def _first_line(fault: Any) -> str:
    """Of the compiler's words: the rest repeats the grammar."""
    return str(fault).strip().partition("\n")[0][:300]
