"""An agent has what is desired of it, whatever it misses; and is sent no more than what changed."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from contract.agent import AdapterName, DesiredAdapter, DesiredChange, DesiredSet
from operators.clients import latest_pusher
from operators.clients.desired_pusher import DesiredPusher
from operators.clients.errors import PeerError
from operators.desired.desired_items import DesiredItems, Items


class Agent:
    """Takes what it is sent as a real one does."""

    def __init__(self) -> None:
        self.desired: DesiredSet | None = None
        self.changes: list[DesiredChange] = []
        self.complete = 0
        self.is_silent = False
        self.answered = asyncio.Event()

    async def desire(self, desired: DesiredSet) -> None:
        await self._answer()
        self.complete += 1
        self.desired = DesiredSet.model_validate_json(desired.model_dump_json())

    async def change(self, change: DesiredChange) -> bool:
        await self._answer()
        after = (
            self.desired.changed(DesiredChange.model_validate_json(change.model_dump_json())) if self.desired else None
        )
        if after is not None:
            self.desired = after
            self.changes.append(change)
        return after is not None

    async def _answer(self) -> None:
        await asyncio.sleep(0)
        self.answered.set()
        if self.is_silent:
            raise PeerError("silent")


def _items(adapter: str, *revisions: str, source: str = "/x") -> Items:
    return tuple(
        DesiredAdapter(tenant="acme", adapter=adapter, source=source, revision=revision, required=revision == "1")
        for revision in revisions
    )


def _desired(
    changed: set[AdapterName] | None = None, residents: set[str] | None = None, **items: Items
) -> DesiredItems:
    names = None if residents is None else frozenset(("acme", name, "1") for name in residents)
    by_adapter = {("acme", name): each for name, each in items.items()}
    return DesiredItems(by_adapter, sum(item.number for each in items.values() for item in each), changed, names)


async def _until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not fact():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_a_change_is_sent_as_a_change() -> None:
    agent = Agent()
    pusher = DesiredPusher(agent)
    running = asyncio.create_task(pusher.run())
    pusher.set(_desired(a=_items("a", "1"), b=_items("b", "1", "2")))
    await _until(lambda: agent.complete == 1)
    pusher.set(_desired({("acme", "b")}, a=_items("a", "1"), b=_items("b", "2", "3")))
    await _until(lambda: len(agent.changes) == 1)
    (change,) = agent.changes
    assert [item.revision for item in change.adapters] == ["3"]
    assert change.removed == (("acme", "b", "1"),)
    pusher.set(_desired(a=_items("a", "1"), b=_items("b", "2", "3")))  # decided anew, and equal
    pusher.set(_desired({("acme", "a")}, a=_items("a", "1", source="/y"), b=_items("b", "2", "3")))
    await _until(lambda: len(agent.changes) == 2)
    assert [item.source for item in agent.changes[1].adapters] == ["/y"]
    assert agent.complete == 1
    running.cancel()


async def test_an_agent_with_another_set_gets_the_complete_one() -> None:
    agent = Agent()
    pusher = DesiredPusher(agent)
    running = asyncio.create_task(pusher.run())
    pusher.set(_desired(a=_items("a", "1")))
    await _until(lambda: agent.complete == 1)
    agent.desired = None  # as after its restart
    pusher.set(_desired({("acme", "b")}, a=_items("a", "1"), b=_items("b", "1")))
    await _until(lambda: agent.complete == 2)
    pusher.set(_desired(residents=set(), a=_items("a", "1"), b=_items("b", "1")))  # residents appear
    await _until(lambda: agent.complete == 3)
    assert agent.desired
    assert agent.desired.residents == frozenset()
    running.cancel()


ADAPTERS = st.dictionaries(st.sampled_from("abcd"), st.sets(st.sampled_from("123"), min_size=1), max_size=4)
STEP = st.tuples(
    ADAPTERS, st.none() | st.sets(st.sampled_from("abcd")), st.sampled_from(("", "silent", "restart", "wait"))
)


@given(st.lists(STEP, min_size=1, max_size=12))
def test_in_the_end_an_agent_has_what_is_desired(steps: list[tuple[dict[str, set[str]], set[str] | None, str]]) -> None:
    asyncio.run(_walk(steps))


async def _walk(steps: list[tuple[dict[str, set[str]], set[str] | None, str]]) -> None:
    latest_pusher.RETRY_S = 0.0
    agent, desired = Agent(), _desired()
    pusher = DesiredPusher(agent)
    running = asyncio.create_task(pusher.run())
    for adapters, residents, event in steps:
        items = {name: _items(name, *sorted(revisions)) for name, revisions in adapters.items()}
        before, desired = desired.by_adapter, _desired(None, residents, **items)
        changed = {
            name
            for name in before.keys() | desired.by_adapter.keys()
            if before.get(name) != desired.by_adapter.get(name)
        }
        pusher.set(replace(desired, changed=changed))
        agent.is_silent = event == "silent"
        if event == "restart":
            agent.desired = None
            pusher.repeat()
        if event == "wait":
            await asyncio.sleep(0.001)
    agent.is_silent = False
    pusher.repeat()
    await _until(lambda: agent.desired is not None and agent.desired.digest == desired.complete.digest)
    assert agent.desired
    assert set(agent.desired.adapters) == set(desired.complete.adapters)
    assert agent.desired.residents == desired.residents
    running.cancel()
