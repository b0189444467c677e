"""All objects with their status at one moment, as a gateway reads them."""

from operators.api.objects import Objects
from operators.api.value import Value


class Problem(Value):
    """A file that could not be read as objects; what it last held is still in force."""

    file: str
    message: str


class Snapshot(Value):
    generation: int = 0
    objects: Objects = Objects()
    problems: tuple[Problem, ...] = ()
