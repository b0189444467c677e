"""The cause of an engine's end, from its log (pure): it is logged long before the last line.

vLLM's worker fails first and names the cause; its server follows with a traceback about the worker's failure.
"""

import re

LONGEST = 400  # characters
# https://docs.python.org/3/library/traceback.html: the last line of a traceback. vLLM puts the process and the time
# before it.
_RAISED = re.compile(
    r"^(?:\(\w+ pid=\d+\) )?(?:ERROR [\d-]+ [\d:]+ \[[^\]]*\] )?"
    r"(?P<kind>[\w.]*(?:Error|Exception|Interrupt|Exit)): (?P<words>.+)"
)
_USAGE = re.compile(r"^\S+: error: (?P<words>.+)")
# Consequences of another failure.
_FOLLOWS = ("Engine core initialization failed", "EngineCore encountered an issue", "Failed core proc")
_HEADLINE = re.compile(r"\d+ validation errors? for \w+$")


def cause(log: str) -> str:
    """One line, empty if the log names no failure."""
    lines = [line.rstrip() for line in log.splitlines()]
    for number in range(len(lines) - 1, -1, -1):
        if failed := _cause_at(lines, number):
            return " ".join(failed.split())[:LONGEST]
    return ""


def _cause_at(lines: list[str], number: int) -> str:
    line = lines[number]
    if usage := _USAGE.match(line):
        return usage["words"]
    raised = _RAISED.match(line)
    if raised is None or any(phrase in line for phrase in _FOLLOWS):
        return ""
    if _HEADLINE.search(raised["words"]) and number + 1 < len(lines):  # pydantic puts the fact on the next line
        return lines[number + 1]
    return f"{raised['kind'].rpartition('.')[2]}: {raised['words']}"
