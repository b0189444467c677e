"""The first replica for a new version (pure).

A harmful version then harms one replica only: the others load it after it has answered there.
"""

from collections.abc import Iterable, Mapping

from contract.adapter import Adapter
from contract.agent import AdapterReport, AgentStatus
from contract.resource import Key

_Reports = Mapping[tuple[str, str, str], AdapterReport]


def pilots(
    adapters: Iterable[Adapter],
    tenants: Mapping[str, str],
    revisions: Mapping[Key, str],
    replicas: Mapping[str, AgentStatus | None],
) -> dict[Key, str]:
    """The only replica allowed to have each unproven candidate. Candidates not in the result may go to every replica.

    `tenants` are by namespace, `replicas` are the reports of one base model's replicas, None for a silent one.
    """
    ready = {name: report.ready for name, report in replicas.items() if report}
    reports = {name: _index(report) for name, report in replicas.items() if report}
    names = {a.key: (tenants[a.namespace], a.name, revisions[a.key]) for a in adapters if a.namespace in tenants}
    chosen = {key: _pilot(name, ready, reports) for key, name in names.items()}
    return {key: replica for key, replica in chosen.items() if replica is not None}


def _pilot(name: tuple[str, str, str], ready: Mapping[str, bool], reports: Mapping[str, _Reports]) -> str | None:
    """A replica that began to load the candidate keeps it; a silent replica is never chosen."""
    begun = {replica: report for replica in reports if (report := reports[replica].get(name))}
    if any(report.state == "Ready" for report in begun.values()):
        return None
    return min(reports, key=lambda replica: (replica not in begun, not ready[replica], replica), default=None)


def _index(report: AgentStatus) -> _Reports:
    return {entry.version_name: entry for entry in report.adapters}
