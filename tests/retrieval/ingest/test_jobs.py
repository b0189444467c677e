"""Documents of several tenants in work at the same time."""

import threading

import pytest

from contract.ingest import DesiredKnowledgeBase, DesiredSource, DocumentState
from retrieval.ingest import pipeline
from retrieval.ingest.chunk import Block
from retrieval.ingest.jobs import MOST_MORE
from retrieval.ingest.limits import Limits
from retrieval.ingest.parse import run
from tests.retrieval.ingest.bench import Bench

LONG = "\n\n".join(
    f"Paragraph {number} of the plan tells its price of {number} euros, in words." for number in range(400)
)


def _two_tenants(bench: Bench, quiet: str) -> None:
    """Each has its own directory: the bench's source, and one beside it."""
    other = bench.folder / "quiet"
    other.mkdir()
    (other / "line.txt").write_text("The quiet plan.")
    sources = {bench.tenant: bench.source, quiet: other}
    bench.worker.set_desired([
        DesiredKnowledgeBase(tenant=tenant, name="docs", sources=[DesiredSource(path=str(path))])
        for tenant, path in sources.items()
    ])  # fmt: skip


def _states(bench: Bench) -> dict[str, DocumentState]:
    return {each.tenant: document.state for each in bench.worker.status() for document in each.documents}


def test_a_line_is_ready_before_another_tenants_long_document(bench: Bench) -> None:
    quiet = f"{bench.tenant}-quiet"
    bench.write("long.txt", LONG)
    _two_tenants(bench, quiet)
    for _turn in range(2000):
        bench.worker.turn()
        if _states(bench).get(quiet) is DocumentState.READY:
            break
    states = _states(bench)
    assert states[quiet] is DocumentState.READY
    assert states[bench.tenant] in {DocumentState.PARSING, DocumentState.EMBEDDING}
    bench.settle()
    assert set(_states(bench).values()) == {DocumentState.READY}


def test_a_parser_that_takes_its_time_keeps_no_other_tenant_waiting(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet, released = f"{bench.tenant}-quiet", threading.Event()
    parse = run.parse

    def slow(name: str, content: bytes, limits: Limits) -> list[Block]:
        if name == "slow.txt":
            assert released.wait(60)
        return parse(name, content, limits)

    monkeypatch.setattr(pipeline, "parse", slow)
    bench.write("slow.txt", "The slow plan.")
    _two_tenants(bench, quiet)
    for _turn in range(2000):
        bench.worker.turn()
        if _states(bench).get(quiet) is DocumentState.READY:
            break
    assert _states(bench)[bench.tenant] is DocumentState.PARSING
    released.set()
    bench.settle()
    assert set(_states(bench).values()) == {DocumentState.READY}


@pytest.mark.parametrize("change", ["removed", "edited", "not wanted"])
def test_a_document_that_changes_while_it_is_in_work_leaves_nothing_behind(bench: Bench, change: str) -> None:
    bench.write("long.txt", LONG)
    bench.worker.set_desired([
        DesiredKnowledgeBase(tenant=bench.tenant, name="docs", sources=[DesiredSource(path=str(bench.source))])
    ])  # fmt: skip
    while _states(bench).get(bench.tenant) is not DocumentState.EMBEDDING or not bench.texts():
        bench.worker.turn()
    if change == "removed":
        (bench.source / "long.txt").unlink()
    elif change == "edited":
        bench.write("long.txt", "The plan as edited.")
    else:
        bench.worker.set_desired([])
    bench.settle()
    bench.now += 10
    bench.settle()
    texts = bench.texts() if bench.tenant in bench.store.tenants() else []
    assert texts == (["The plan as edited."] if change == "edited" else [])


def test_a_file_that_is_edited_all_the_time_is_indexed_and_lets_new_files_have_a_turn(bench: Bench) -> None:
    bench.write("log.txt", "The plan of today.")
    bench.set_desired("docs")
    bench.write("new.txt", "The new plan.")
    for number in range(40):
        bench.write("log.txt", f"{LONG}\n\nThe plan of today, line {number}.")
        bench.now += 0.2
        bench.worker.look()
        for _step in range(5):
            bench.worker.turn()
    texts = bench.texts()
    assert "The new plan." in texts
    assert "The plan of today." not in texts


def test_a_tenant_never_has_more_than_a_few_parsers(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, released = [0], [0], threading.Event()

    def slow(name: str, content: bytes, limits: Limits) -> list[Block]:
        running[0] += 1
        most[0] = max(most[0], running[0])
        assert released.wait(60)
        running[0] -= 1
        return [Block("", content.decode())]

    monkeypatch.setattr(pipeline, "parse", slow)
    for number in range(6):
        name = f"slow{number}.txt"
        bench.write(name, "The slow plan.")
        bench.worker.set_desired([
            DesiredKnowledgeBase(tenant=bench.tenant, name="docs", sources=[DesiredSource(path=str(bench.source))])
        ])  # fmt: skip
        bench.now += 10
        for _turn in range(5):
            bench.worker.turn()
        (bench.source / name).unlink()
        bench.worker.look()
        bench.worker.turn()
    assert (running[0], most[0]) == (1 + MOST_MORE, 1 + MOST_MORE)
    released.set()
    bench.settle()
    assert bench.texts() == []
