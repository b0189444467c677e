"""The report on a file of rows (pure)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tuning.division import Division
from tuning.reading import Read
from tuning.rendering import Rendered
from tuning.row import Fault

LENGTHS = (50, 90, 99, 100)  # percentiles


@dataclass(frozen=True)
class Tokens:
    """Of the rendered rows. `cut` counts rows longer than the model's limit: the end of their answer is lost."""

    lengths: tuple[int, ...]
    learned: int
    cut: int


def tokens_of(rendered: Sequence[Rendered], max_length: int) -> Tokens:
    lengths = sorted(row.length for row in rendered)
    percentiles = tuple(lengths[max(0, -(-len(lengths) * share // 100) - 1)] for share in LENGTHS) if lengths else ()
    learned = sum(min(len(row.answer), max_length - len(row.prompt)) for row in rendered)
    return Tokens(percentiles, learned, sum(row.length > max_length for row in rendered))


def lines(read: Read, division: Division, tokens: Tokens | None) -> list[str]:
    """A summary, a fact a line."""
    kept = len(division.training) + len(division.held_out) + len(division.final)
    said = [
        f"{read.lines} rows, sha256 {read.digest[:12]}",
        f"{kept} stay: {len(division.dropped)} are exact copies of an earlier one",
        f"{len(division.training)} to learn from, {len(division.held_out)} held out, {len(division.final)} for the end",
    ]
    if division.groups:
        said.append(f"{division.groups} groups of near copies, each on one side")
    if division.conflicts:
        shown = ", ".join(f"{line} and {first}" for line, first in list(division.conflicts.items())[:5])
        said.append(f"{len(division.conflicts)} questions have several answers, as in the lines {shown}")
    if tokens and tokens.lengths:
        each = ", ".join(f"{share} % at most {length}" for share, length in zip(LENGTHS, tokens.lengths, strict=True))
        said.append(f"tokens of a row: {each}; {tokens.learned} are learned")
        if tokens.cut:
            said.append(
                f"{tokens.cut} rows are longer than the model reads: the end of their answer would not be learned"
            )
    return said


def fault_lines(faults: Sequence[Fault], faulty: int) -> list[str]:
    """The kept faults, a line each, and how many there are of each kind."""
    listed = [f"line {fault.line}: {fault.code}: {fault.message}" if fault.line else f"{fault.code}: {fault.message}"
              for fault in faults]  # fmt: skip
    if faulty > len(faults):
        kinds = ", ".join(f"{count} {code}" for code, count in Counter(f.code for f in faults).most_common())
        listed.append(f"and {faulty - len(faults)} more; the first {len(faults)} are {kinds}")
    return listed
