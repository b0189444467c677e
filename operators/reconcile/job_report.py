"""How far a job is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

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
