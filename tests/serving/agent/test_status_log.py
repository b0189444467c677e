"""A caller of an agent gets what it has not seen."""

from hypothesis import given
from hypothesis import strategies as st

from contract.agent import AdapterReport, AdapterState, AgentStatus
from operators.desired.replica_report import ReplicaReport
from serving.agent import status_log
from serving.agent.status_log import StatusLog

States = dict[str, AdapterState]
STATES = st.sampled_from(("Fetching", "Loading", "Ready"))


def _status(states: States, *, ready: bool = True) -> AgentStatus:
    entries = (
        AdapterReport(tenant="acme", adapter=name.split(".")[0], revision=name, state=state)
        for name, state in states.items()
    )
    return AgentStatus(version=0, ready=ready, started=1.0, adapters=tuple(entries))


@given(st.lists(st.dictionaries(st.sampled_from(("a.1", "a.2", "b.1", "c.1")), STATES), min_size=1), st.data())
def test_changes_put_together_are_the_complete_status(history: list[States], data: st.DataObject) -> None:
    """A reader that misses any of them has the same in the end."""
    log = StatusLog()
    seen, reader = -1, None
    for states in history:
        log.set(_status(states))
        if data.draw(st.booleans()):
            status = log.since(seen)
            assert status
            seen, reader = status.version, ReplicaReport.of(status, reader)
            complete = ReplicaReport.of(_status(states))
            assert {name: set(entries) for name, entries in reader.entries.items()} == {
                name: set(entries) for name, entries in complete.entries.items()
            }


def test_only_what_changed_is_reported() -> None:
    log = StatusLog()
    log.set(_status({"a.1": "Ready", "b.1": "Fetching", "c.1": "Ready"}))
    first = log.since(-1)
    assert first
    assert first.since is None
    log.set(_status({"a.1": "Ready", "b.1": "Ready"}))
    second = log.since(first.version)
    assert second
    assert [entry.revision for entry in second.adapters] == ["b.1"]
    assert second.removed == (("acme", "c", "c.1"),)


def test_whoever_has_seen_another_life_of_the_agent_gets_everything() -> None:
    log = StatusLog()
    log.set(_status({"a.1": "Ready"}))
    for seen in (-1, 5, log.changes.number + 1):
        status = log.since(seen)
        assert status
        assert (status.since, len(status.adapters)) == (None, 1)


def test_whoever_missed_more_removals_than_are_remembered_gets_everything() -> None:
    log = StatusLog()
    log.set(_status({f"a{number}.1": "Ready" for number in range(status_log.MOST_REMOVED + 1)}))
    seen = log.changes.number
    log.set(_status({"b.1": "Ready"}))
    status = log.since(seen)
    assert status
    assert status.since is None
