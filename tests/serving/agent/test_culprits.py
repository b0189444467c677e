from pathlib import Path

import pytest

from contract.agent import Fingerprint
from serving.agent.culprits import FILE, Culprits
from serving.agent.errors import RefusedError

BASE = Fingerprint(engine="1", prompts=((("a", -1.0),),))


def test_what_harmed_an_engine_is_remembered_by_the_next_life(tmp_path: Path) -> None:
    first = Culprits(tmp_path)
    first.refuse("acme.a.0", RefusedError("SpoilsEngine", "the base model answers otherwise"))
    assert [first.died("acme.b.0"), first.died("acme.b.0")] == [1, 2]
    first.meet(7.0, BASE)
    again = Culprits(tmp_path)
    assert [(name, error.reason) for name, error in again.refusals().items()] == [("acme.a.0", "SpoilsEngine")]
    assert again.died("acme.b.0") == 3
    assert (again.base_of(7.0), again.base_of(8.0)) == (BASE, None)


def test_a_version_that_loads_is_forgiven(tmp_path: Path) -> None:
    culprits = Culprits(tmp_path)
    culprits.died("acme.b.0")
    culprits.forgive("acme.b.0")
    assert Culprits(tmp_path).died("acme.b.0") == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"refused": 1}', bytes([255, 254])])
def test_a_file_that_cannot_be_read_is_said_and_no_crash(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert Culprits(tmp_path).refusals() == {}
