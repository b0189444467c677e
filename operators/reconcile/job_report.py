"""How far a job is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from contract import conditions as c
from contract.conditions import Condition, condition
from contract.job import Line

State = Literal["Waiting", "Running", "Done", "Failed"]


@dataclass(frozen=True)
class JobReport:
    """`lines` are the last ones that the job said, `result` is that of a finished job, `message` says why it waits or
    failed. `place` is the folder of all jobs, as an adapter's source names it."""

    state: State
    lines: tuple[Line, ...] = ()
    result: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    place: str = ""

    @property
    def goes_on(self) -> bool:
        return self.state in ("Waiting", "Running")


def not_begun(obstacle: Condition | None, report: JobReport | None) -> Condition | None:
    """The Ready condition of an object whose job has not begun; None once it has."""
    if obstacle:
        return obstacle
    if report is None:
        return condition(c.READY, False, c.WAITING, "its job has not begun yet")
    return condition(c.READY, False, c.QUEUED, report.message) if report.state == "Waiting" else None
