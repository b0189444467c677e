"""Facts from files: an evaluation's result, and labelled examples."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuning.advice.facts import ADAPTER, DOCUMENTS, EXAMPLES, PROMPT, Fact, Measured
from tuning.division import divided
from tuning.reading import read


class InputInvalidError(Exception):
    """The file is no result of an evaluation, or has faulty rows; the message names it."""


def measured(file: Path) -> Fact[Measured]:
    """From `result.json`. Raises InputInvalidError and OSError."""
    try:
        result = json.loads(file.read_text(encoding="utf-8"))
        return Fact(_measured(result), str(file))
    except (ValueError, KeyError, TypeError) as error:
        raise InputInvalidError(f"{file} is no result of quiver evaluate: {error!r}") from error


def _measured(result: Mapping[str, Any]) -> Measured:
    comparison = result["comparison"]
    base = result["variants"][0]["model"]
    return Measured(
        means=comparison["means"],
        parts={
            variant["name"]: _parts(variant, base, result["use"][variant["name"]]) for variant in result["variants"]
        },
        best=comparison["best"],
        questions=result["questions"],
        visible=max(pair["visible"] for pair in comparison["pairs"]),
    )


def _parts(variant: Mapping[str, Any], base: str, use: Mapping[str, Any]) -> frozenset[str]:
    """Beside the base, the first variant's model. An adapter's own documents show by its citations."""
    has = {
        PROMPT: bool(variant["system"]),
        EXAMPLES: bool(variant["examples"]),
        DOCUMENTS: bool(variant["knowledge_bases"]) or use["cited"] > 0,
        ADAPTER: variant["model"] != base,
    }
    return frozenset(part for part, there in has.items() if there)


def labelled(file: Path) -> tuple[Fact[int], Fact[int]]:
    """The rows without copies, and the contradictory ones. Raises InputInvalidError and OSError."""
    data = read(file)
    if data.faulty:
        raise InputInvalidError(f"{file} has {data.faulty} faults: see quiver tune check {file}")
    division = divided(data.rows)
    rows = len(division.training) + len(division.held_out) + len(division.final)
    return Fact(rows, str(file)), Fact(len(division.conflicts), str(file))
