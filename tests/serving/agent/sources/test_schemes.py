"""A new kind of source is one new file."""

import asyncio
from pathlib import Path

import pytest

from serving.agent.sources import kinds, schemes
from serving.agent.sources.fetcher import Fetcher
from serving.agent.sources.policy import Policy
from serving.agent.verify import FILES

NEW_KIND = """
import asyncio
from dataclasses import dataclass
from typing import Self

from serving.agent.sources.kind import Fetch, Source


@dataclass(frozen=True)
class MemorySource(Source):
    schemes = ("memory",)
    forms = ("memory://TEXT",)

    text: str

    @classmethod
    def parse(cls, source: str, rest: str) -> Self:
        return cls(rest)

    async def fetch(self, fetch: Fetch) -> None:
        await asyncio.to_thread(self._write, fetch)

    def _write(self, fetch: Fetch) -> None:
        for part in fetch.parts.values():
            part.write_text(self.text)
"""


def _contents(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir()}


async def test_a_file_is_all_that_a_new_kind_takes(
    policy: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread((tmp_path / "memory.py").write_text, NEW_KIND)
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path)])
    monkeypatch.setattr(schemes, "BY_SCHEME", await asyncio.to_thread(schemes.kinds_by_scheme))
    into = tmp_path / "into"
    await asyncio.to_thread(into.mkdir)
    await Fetcher(policy).fetch("memory://hello", into, {})
    assert await asyncio.to_thread(_contents, into) == dict.fromkeys(FILES, "hello")


def test_every_scheme_has_a_kind_and_a_form_for_people() -> None:
    assert set(schemes.BY_SCHEME) == {"file", "pvc", "https", "http", "hf", "s3", "gs", "oci"}
    assert all(kind.forms for kind in schemes.BY_SCHEME.values())
