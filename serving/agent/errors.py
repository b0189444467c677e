"""What can go wrong with one adapter, and what follows from it.

AgentError
├── RefusedError       the artifact is at fault: nothing is tried again until its source changes
└── UnavailableError   the surroundings are at fault (disk, engine): tried again, later each time
"""


class AgentError(Exception):
    """`reason` is a CamelCase word for the condition, the message says the fact and what to do."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class RefusedError(AgentError):
    pass


class UnavailableError(AgentError):
    pass
