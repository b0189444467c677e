"""Builds the agent's status from its parts (pure)."""

from collections.abc import Callable, Mapping

from contract.agent import AgentStatus, Fingerprint
from serving.agent.engine_watch import EngineWatch
from serving.agent.plan import name_of, report_of
from serving.agent.versions import Versions


def agent_status(
    watch: EngineWatch,
    versions: Versions,
    answered: Mapping[str, Fingerprint],
    made_for: Callable[[str | None], str],
) -> AgentStatus:
    """`answered` are the proven versions by engine name. While the engine is down, none of them counts."""
    alive = watch.is_alive
    answering = frozenset(answered) if alive else frozenset[str]()
    adapters = tuple(
        report_of(item, progress, answering, answered.get(name_of(item, progress) or ""), made_for(progress.digest))
        for item, progress in versions.progress.items()
    )
    settled = watch.base is not None and versions.required_are_settled(answered)
    return AgentStatus(
        version=0,
        ready=alive and watch.spoiled_by is None and settled,
        started=watch.started if alive else None,
        spoiled_by=watch.spoiled_by,
        adapters=adapters,
    )
