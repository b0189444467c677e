"""The scores of a comparison's first run, in a folder beside those of its runs."""

import json
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from contract.job import REFERENCE, SCORES
from service.files import replace
from tuning.evaluation.comparison import Scores
from tuning.evaluation.golden import Reference

_REFERENCE: TypeAdapter[Reference] = TypeAdapter(Reference)


def this_run(folder: Path, questions: str, scores: Scores) -> Reference:
    """`folder` is the run's, named PREFIX.COMPARISON-NUMBER; `questions` is the digest of their file."""
    run = folder.name.rpartition(".")[2]
    return Reference(run.rpartition("-")[0], questions, run, scores)


def first(folder: Path, this: Reference) -> Reference:
    """The first run of the same comparison and questions: the stored one, or else this, which is stored. Raises
    OSError."""
    beginning = folder.name.rpartition(".")[0]
    file = folder.with_name(f"{beginning}.{REFERENCE}") / SCORES
    stored = _read(file)
    if stored and stored.is_of(this.comparison, this.questions):
        return stored
    file.parent.mkdir(exist_ok=True)
    replace(file, json.dumps(this.as_json()))
    return this


def _read(file: Path) -> Reference | None:
    """A missing or damaged file is none: the comparison begins anew."""
    try:
        return _REFERENCE.validate_json(file.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
