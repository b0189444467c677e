"""The real compiler in its real process."""

import asyncio
import json
from collections.abc import Sequence

import pytest

from serving.gateway import grammars
from serving.gateway.errors import InvalidRequest, Unavailable
from serving.gateway.grammars import Grammar, Grammars


@pytest.mark.parametrize(
    "grammar",
    [
        ("response_format", "json", json.dumps({"type": "object", "properties": {"a": {"type": "integer"}}})),
        ("structured_outputs.regex", "regex", "[a-c]{3}"),
        ("structured_outputs.grammar", "grammar", 'root ::= "x" | "y"'),
    ],
)
async def test_what_compiles_passes(grammar: Grammar) -> None:
    await Grammars().check("acme", [grammar])


@pytest.mark.parametrize(
    "grammar",
    [
        ("response_format", "json", json.dumps({"type": "nothing"})),
        ("structured_outputs.regex", "regex", "("),
        ("structured_outputs.grammar", "grammar", "no grammar at all"),
    ],
)
async def test_what_does_not_compile_is_refused_with_the_compilers_words(grammar: Grammar) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await Grammars().check("acme", [("tools[0]", "json", '{"type": "object"}'), grammar])
    assert (caught.value.code, caught.value.param) == ("invalid_schema", grammar[0])


async def test_a_schema_is_compiled_once_for_each_tenant(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiler that cannot be run is our fault, and no fact about the schema."""
    checker, grammar = Grammars(), ("tools[0]", "json", '{"type": "string"}')
    await checker.check("acme", [grammar])
    working = grammars._CHILD
    monkeypatch.setattr(grammars, "_CHILD", "there.is.no.such.module")
    await checker.check("acme", [grammar, ("tools[1]", *grammar[1:])])
    with pytest.raises(Unavailable):
        await checker.check("globex", [grammar])
    monkeypatch.setattr(grammars, "_CHILD", working)
    await checker.check("globex", [grammar])


async def test_equal_requests_at_once_compile_once_and_a_full_cache_refuses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(grammars, "REMEMBERED", 1)
    checker, compiled = Grammars(), [0]
    compile_them = checker._compiled

    async def counted(several: Sequence[Grammar]) -> list[str] | None:
        compiled[0] += len(several)
        return await compile_them(several)

    monkeypatch.setattr(checker, "_compiled", counted)
    one: Grammar = ("tools[0]", "json", '{"type": "string"}')
    two: Grammar = ("tools[1]", "json", '{"type": "number"}')
    await asyncio.gather(*(checker.check("acme", [one]) for _ in range(5)))
    assert compiled == [1]
    await checker.check("acme", [one, two])
    await checker.check("acme", [one, two])
