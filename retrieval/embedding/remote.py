"""An embedder behind an address: `POST /v1/embeddings`, as OpenAI, vLLM, TEI and Infinity have it.

Such a server shows no tokenizer, so texts are measured by their letters, and what it can read is tried.
"""

import hashlib
import re
import time
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

BATCH = 32  # texts of one request: the most that TEI takes
TRIAL_SECONDS = 60.0  # for a request at the start: a server may still be warming up, and takes many texts at once
MOST_BYTES = 16 << 20  # of an answer: 32 vectors of 4,096 numbers are 3 MB as text
_READ_BYTES = 1 << 16
_CONNECTIONS = 16  # that are kept: searches ask at the same time
# Of words in European scripts six letters are a token, of Arabic, Indian and Thai ones two; a syllable of Hangul, an
# ideograph and any other character is one of its own.
_TOKEN = re.compile(r"[^\W\u0530-\uffff]{1,6}|[^\W\u1100-\uffff]{1,2}|\S")


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
            maxsize=_CONNECTIONS,
            retries=False,
        )
        self._seconds = TRIAL_SECONDS
        self.dimensions = self._asked(["?"]).shape[1]
        self.id = self._id()
        self.trial = tried(self)
        self._seconds = server.seconds

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
        return scripts.share(text, self.trial.scripts)

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
        deadline = time.monotonic() + self._seconds
        try:
            with self._pool.request(
                "POST",
                f"{self._address}/v1/embeddings",
                json=body,
                redirect=False,
                preload_content=False,
                timeout=urllib3.Timeout(total=self._seconds),
            ) as answer:
                if answer.status != 200:
                    raise self._failed(f"status {answer.status}")
                return _vectors(_read(answer, deadline), len(texts))
        except ValidationError as error:  # its text has the answer
            raise self._failed("its answer is no list of embeddings") from error
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise self._failed(str(error)) from error

    def _failed(self, reason: str) -> EmbedderError:
        return EmbedderError(
            f"The embedder at {self._address} gave no vectors ({reason}): check the server, the model's name "
            f"({self._server.model or 'none'}) and the token."
        )


def _read(answer: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    """Raises ValueError for a body that is too long, or is not there in time however often a byte arrives."""
    body = bytearray()
    while part := answer.read1(_READ_BYTES):
        body += part
        if len(body) > MOST_BYTES:
            raise ValueError(f"its answer has more than {MOST_BYTES:,} bytes")
        if time.monotonic() > deadline:
            raise ValueError("its answer is not there in time")
    return bytes(body)


def _vectors(content: bytes, count: int) -> Vectors:
    """In the order of the texts. Raises ValueError unless each text has a vector, all of one size."""
    rows = {item.index: item.embedding for item in _Answer.model_validate_json(content).data}
    if rows.keys() != set(range(count)) or len({len(row) for row in rows.values()}) != 1:
        raise ValueError(f"it gave {len(rows)} vectors for {count} texts, or vectors of several sizes")
    return of_length_one(np.array([rows[index] for index in range(count)], np.float32))
