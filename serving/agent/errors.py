"""Errors of one adapter, and their consequences.

AgentError
├── RefusedError       the artifact is at fault: nothing is tried again until its source changes
└── UnavailableError   the surroundings are at fault (disk, engine): tried again, later each time
    ├── EngineDownError    there is no engine to do anything with: no version's failure
    └── OtherWeightsError  a version answers as another one would: out of the engine with it
"""

from service.logs import printable

MAX_MESSAGE = 500


class AgentError(Exception):
    """`reason` is a CamelCase word for the condition, the message gives the fact and the remedy.

    A message may quote an artifact of a hostile author: it is one line of printable text, and short.
    """

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        self.message = printable(message)[:MAX_MESSAGE]
        super().__init__(self.message)


class RefusedError(AgentError):
    pass


class UnavailableError(AgentError):
    pass


class EngineDownError(UnavailableError):
    pass


class OtherWeightsError(UnavailableError):
    pass
