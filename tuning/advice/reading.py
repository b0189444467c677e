"""Facts from files: an evaluation's result, and labelled examples."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuning.advice.facts import ADAPTER, DOCUMENTS, EXAMPLES, PROMPT, Fact, Measured
from tuning.division import divided
from tuning.reading import read


class ResultInvalidError(Exception):
    """The file is no result of an evaluation; the message names it."""


def measured(file: Path) -> Fact[Measured]:
    """From `result.json`. Raises ResultInvalidError and OSError."""
    try:
        result = json.loads(file.read_text(encoding="utf-8"))
        return Fact(_measured(result), str(file))
    except (ValueError, KeyError, TypeError) as error:
        raise ResultInvalidError(f"{file} is no result of quiver evaluate: {error!r}") from error


def _measured(result: Mapping[str, Any]) -> Measured:
    comparison = result["comparison"]
    base = result["variants"][0]["model"]
    return Measured(
        means=comparison["means"],
        parts={variant["name"]: _parts(variant, base) for variant in result["variants"]},
        best=comparison["best"],
        questions=result["questions"],
        visible=max(pair["visible"] for pair in comparison["pairs"]),
    )


def _parts(variant: Mapping[str, Any], base: str) -> frozenset[str]:
    """Beside the first variant's model, which is the base."""
    has = {
        PROMPT: bool(variant["system"]),
        EXAMPLES: bool(variant["examples"]),
        DOCUMENTS: bool(variant["knowledge_bases"]),
        ADAPTER: variant["model"] != base,
    }
    return frozenset(part for part, there in has.items() if there)


def labelled(file: Path) -> tuple[Fact[int], Fact[int]]:
    """The rows without copies, and those that contradict another. Raises OSError."""
    division = divided(read(file).rows)
    rows = len(division.training) + len(division.held_out) + len(division.final)
    return Fact(rows, str(file)), Fact(len(division.conflicts), str(file))
