"""How a sentence encoder is used: `embedder.json` beside the model, as its export writes it. Pure but for the read."""

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from retrieval.errors import EmbedderError

FILE = "embedder.json"


class Pooling(StrEnum):
    """How the vectors of the tokens become one."""

    MEAN = "mean"
    CLS = "cls"
    """The vector of the first token."""


class Recipe(BaseModel):
    """Without a file: as all-MiniLM-L6-v2."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pooling: Pooling = Pooling.MEAN
    max_tokens: int = Field(default=256, ge=16, le=8_192)
    """The length of training; the rest of a longer text is ignored."""
    query_prefix: str = ""
    passage_prefix: str = ""


def read(folder: Path) -> Recipe:
    """Raises `EmbedderError`."""
    file = folder / FILE
    if not file.is_file():
        return Recipe()
    try:
        return Recipe.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise EmbedderError(f"{file} cannot be used ({error}): export the model again.") from error
