"""What a search needs of a re-ranker, and which one a setting names."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from retrieval.errors import RerankerError
from retrieval.reranking.cross_encoder import CrossEncoder
from retrieval.reranking.remote import Remote


class Reranker(Protocol):
    async def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """How well each passage answers, best guess first in time: as many of the first ones as the time allows.

        Higher is better; scores of two questions cannot be compared. Raises `RerankerError`.
        """
        ...

    async def close(self) -> None: ...


def opened(where: str, *, model: str, token: SecretStr, seconds: float) -> Reranker:
    """A server's re-ranker if `where` is an address, else the one in this folder. Raises `RerankerError`."""
    if where.lower().startswith(("http://", "https://")):
        return Remote(where, model=model, token=token, seconds=seconds)
    if not where.startswith("/"):
        raise RerankerError(f"The re-ranker {where!r} is neither an http address nor the absolute path of a folder.")
    return CrossEncoder(Path(where), seconds=seconds)
