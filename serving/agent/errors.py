"""Errors of one adapter, and their consequences.

AgentError
├── RefusedError       the artifact is at fault: not retried until it changes, except plan.FIXABLE_AT_SOURCE
└── UnavailableError   the environment is at fault (disk, engine): retried with growing delays
    ├── EngineDownError    the engine does not answer: counts as no version's failure
    └── OtherWeightsError  a version answers as another one would: it is unloaded
"""

from service.logs import printable

MAX_MESSAGE = 500


class AgentError(Exception):
    """`reason` is a CamelCase word for the condition, the message gives the fact and the remedy.

    A message may quote a hostile author's artifact, so it is limited to one line of MAX_MESSAGE printable characters.
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
