"""An embedder behind an address: `POST /v1/embeddings`, as OpenAI, vLLM, TEI and Infinity have it.

Such a server shows no tokenizer, so texts are measured by their letters, and what it can read is tried.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import urllib3
from pydantic import BaseModel, Field, FiniteFloat, SecretStr, ValidationError

from contract.body import MOST_DIMENSIONS
from retrieval.embedding import scripts
from retrieval.embedding.recipe import Recipe
from retrieval.embedding.trial import tried
from retrieval.embedding.vectors import Vectors, of_length_one
from retrieval.errors import EmbedderError

BATCH = 64  # texts of one request; TEI takes 32 requests of one client at a time, and OpenAI 2,048 texts
MOST_BYTES = 32 << 20  # of an answer: 64 vectors of 4,096 numbers are 6 MB as text
# A syllable of Hangul, an ideograph or a kana is a token of its own; of other words, six letters are one.
_TOKEN = re.compile(r"[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\u1100-\uffff]{1,6}|[^\s]")


@dataclass(frozen=True)
class Server:
    """What is said to a server, and how its model is used."""

    model: str
    token: SecretStr
    seconds: float
    """For one request."""
    recipe: Recipe


class _Item(BaseModel):
    index: int
    embedding: list[FiniteFloat] = Field(min_length=1, max_length=MOST_DIMENSIONS)


class _Answer(BaseModel):
    data: list[_Item]


class Remote:
    """An `Embedder`. Asks the server at once for the vectors of a few texts in many languages."""

    def __init__(self, address: str, server: Server) -> None:
        self._address, self._server, self._recipe = address.rstrip("/"), server, server.recipe
        secret = server.token.get_secret_value()
        self._pool = urllib3.PoolManager(
            headers={"Authorization": f"Bearer {secret}"} if secret else {},
            timeout=urllib3.Timeout(total=server.seconds),
            retries=False,
        )
        self.dimensions = self._asked(["?"]).shape[1]
        self.id = self._id()
        self._scripts = tried(self).scripts

    @property
    def max_tokens(self) -> int:
        return self._recipe.max_tokens

    @property
    def passage_tokens(self) -> int:
        return self.max_tokens - 2 - self.tokens(self._recipe.passage_prefix)

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self._embedded([self._recipe.passage_prefix + text for text in texts])

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self._embedded([self._recipe.query_prefix + text for text in texts])

    def legibility(self, text: str) -> float:
        return scripts.share(text, self._scripts)

    def is_read_whole(self, text: str) -> bool:
        return self.tokens(text) <= self.max_tokens - 2

    def tokens(self, text: str) -> int:
        """An estimate, more rather than less."""
        return len(_TOKEN.findall(text))

    def close(self) -> None:
        self._pool.clear()

    def _id(self) -> str:
        """Its address may change: the model is known by its name."""
        parts = f"{self._server.model}\n{self.dimensions}\n{self._recipe.model_dump_json()}"
        return hashlib.sha256(parts.encode()).hexdigest()[:16]

    def _embedded(self, texts: Sequence[str]) -> Vectors:
        batches = [self._asked(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        vectors = np.concatenate(batches) if batches else np.empty((0, self.dimensions), np.float32)
        if vectors.shape[1] != self.dimensions:
            raise self._failed(f"its vectors have {vectors.shape[1]:,} numbers, and had {self.dimensions:,}")
        return vectors

    def _asked(self, texts: Sequence[str]) -> Vectors:
        body = {"model": self._server.model, "input": list(texts), "encoding_format": "float"}
        try:
            with self._pool.request(
                "POST", f"{self._address}/v1/embeddings", json=body, redirect=False, preload_content=False
            ) as answer:
                if answer.status != 200:
                    raise self._failed(f"status {answer.status}")
                content = answer.read(MOST_BYTES + 1)
            return _vectors(content, len(texts))
        except ValidationError as error:  # its text has the answer
            raise self._failed("its answer is no list of embeddings") from error
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise self._failed(str(error)) from error

    def _failed(self, reason: str) -> EmbedderError:
        return EmbedderError(
            f"The embedder at {self._address} gave no vectors ({reason}): check the server, the model's name "
            f"({self._server.model or 'none'}) and the token."
        )


def _vectors(content: bytes, count: int) -> Vectors:
    """In the order of the texts. Raises ValueError unless each text has a vector, all of one size."""
    if len(content) > MOST_BYTES:
        raise ValueError(f"its answer has more than {MOST_BYTES:,} bytes")
    rows = {item.index: item.embedding for item in _Answer.model_validate_json(content).data}
    if rows.keys() != set(range(count)) or len({len(row) for row in rows.values()}) != 1:
        raise ValueError(f"it gave {len(rows)} vectors for {count} texts, or vectors of several sizes")
    return of_length_one(np.array([rows[index] for index in range(count)], np.float32))
