"""Facts about a tenant, each with its source. A missing fact is None, and is reported as missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

# Parts of a variant beside the base model.
PROMPT, EXAMPLES, DOCUMENTS, ADAPTER = ("prompt", "examples", "documents", "adapter")


@dataclass(frozen=True)
class Fact(Generic[T]):
    value: T
    source: str


@dataclass(frozen=True)
class Measured:
    """An evaluation: scores and parts by variant. `best` are the variants without a better one, the cheapest first."""

    means: Mapping[str, float]
    parts: Mapping[str, frozenset[str]]
    best: Sequence[str]
    questions: int
    visible: float  # the smallest visible difference

    def with_part(self, part: str) -> Sequence[str]:
        return [name for name, parts in self.parts.items() if part in parts]


@dataclass(frozen=True)
class Facts:
    documents: Fact[int] | None = None
    changed_weekly: Fact[float] | None = None  # share of documents changed in the last week
    change_unclear: str = ""  # why that share is missing
    rows: Fact[int] | None = None  # labelled examples, without copies
    conflicts: Fact[int] | None = None  # of rows, with another answer to the same question
    wrong_is_costly: Fact[bool] | None = None
    must_explain: Fact[bool] | None = None
    measured: Fact[Measured] | None = None
