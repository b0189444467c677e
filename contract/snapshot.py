"""All objects with their status at one moment, as a gateway reads them."""

from contract.adapter_slice import AdapterSlice
from contract.objects import Objects
from contract.value import Value

LONGEST_PROBLEM = 500  # characters


class Problem(Value):
    """A file that cannot be read as objects; its last valid objects stay in force."""

    file: str
    message: str


def problem(file: str, message: str) -> Problem:
    """A problem with each text on one line, shortened, with unprintable characters escaped."""
    return Problem(file=_printable(file), message=_printable(message))


def _printable(text: str) -> str:
    line = " ".join(text[: 2 * LONGEST_PROBLEM].split())
    shown = "".join(char if char.isprintable() else repr(char)[1:-1] for char in line)
    return shown if len(shown) <= LONGEST_PROBLEM else f"{shown[: LONGEST_PROBLEM - 1]}…"


class Snapshot(Value):
    generation: int = 0
    objects: Objects = Objects()
    adapter_slices: tuple[AdapterSlice, ...] = ()
    problems: tuple[Problem, ...] = ()
