"""An embedder behind an address: `POST /v1/embeddings`, as OpenAI, vLLM, TEI and Infinity have it.

Such a server shows no tokenizer, so texts are measured by their letters, and what it can read is tried.
"""

import hashlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import urllib3
from pydantic import BaseModel, Field, FiniteFloat, SecretStr, ValidationError

from contract.body import MOST_DIMENSIONS
from retrieval.embedding.recipe import Recipe
from retrieval.embedding.trial import tried
from retrieval.embedding.vectors import Vectors, of_length_one
from retrieval.errors import EmbedderError

BATCH = 32  # texts of one request: the most that TEI takes
MANY_SECONDS = 60.0  # for a request with many texts: one of passages, and those at the start
# Of an answer for each text, whose 4,096 numbers are 90 KB; as much again for what is around them.
MOST_BYTES = 1 << 17
LEAST_TOKENS = 8  # of a passage, behind a prefix
_READ_BYTES = 1 << 16
_CONNECTIONS = 16  # that are kept: searches ask at the same time
# Of words in European scripts four letters are a token, of numbers and Arabic, Indian and Thai words two; a syllable of
# Hangul, an ideograph and any other character is one of its own.
_TOKEN = re.compile(r"[^\W\d\u0530-\uffff]{1,4}|[^\W\u1100-\uffff]{1,2}|\S")


@dataclass(frozen=True)
class Server:
    """The server's model and token, and the use of the model."""

    model: str
    token: SecretStr
    seconds: float
    """For a question."""
    recipe: Recipe


class _Item(BaseModel):
    index: int
    embedding: list[FiniteFloat] = Field(min_length=1, max_length=MOST_DIMENSIONS)


class _Answer(BaseModel):
    data: list[_Item] = Field(max_length=BATCH)


class Remote:
    """An `Embedder`. Asks the server at once for the vectors of a few texts in many languages."""

    def __init__(self, address: str, server: Server) -> None:
        self._address, self._server, self._recipe = address.rstrip("/"), server, server.recipe
        secret = server.token.get_secret_value().strip()  # a file's last line ends in a newline
        if not secret.isprintable():
            raise EmbedderError(f"The token of the embedder at {address} is no text of one line: correct it.")
        self._pool = urllib3.PoolManager(
            headers={"Authorization": f"Bearer {secret}"} if secret else {},
            maxsize=_CONNECTIONS,
            retries=False,
        )
        self.dimensions = self._asked(["?"], MANY_SECONDS).shape[1]
        self.id = self._id()
        if self.passage_tokens < LEAST_TOKENS:
            raise EmbedderError(
                f"The passage prefix of the embedder at {address} leaves {self.passage_tokens} of its "
                f"{self.max_tokens} tokens to a passage: shorten it, or raise max_tokens."
            )
        self.trial = tried(self)

    @property
    def max_tokens(self) -> int:
        return self._recipe.max_tokens

    @property
    def passage_tokens(self) -> int:
        return self.max_tokens - 2 - self.tokens(self._recipe.passage_prefix)

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self._embedded([self._recipe.passage_prefix + text for text in texts], MANY_SECONDS)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        seconds = self._server.seconds if len(texts) == 1 else MANY_SECONDS
        return self._embedded([self._recipe.query_prefix + text for text in texts], seconds)

    def legibility(self, text: str) -> float:
        return self.trial.legibility(text)

    def is_read_whole(self, text: str) -> bool:
        return self.tokens(text) <= self.passage_tokens

    def tokens(self, text: str) -> int:
        """An estimate; for most texts it is more than the model's tokens."""
        return len(_TOKEN.findall(text))

    def close(self) -> None:
        self._pool.clear()

    def _id(self) -> str:
        """Its address may change: the model is known by its name."""
        parts = f"{self._server.model}\n{self.dimensions}\n{self._recipe.model_dump_json()}"
        return hashlib.sha256(parts.encode()).hexdigest()[:16]

    def _cut(self, text: str) -> str:
        """Cut at the limit: a server may refuse a longer text."""
        last = next(islice(_TOKEN.finditer(text), self.max_tokens - 2, None), None)
        return text if last is None else text[: last.start()]

    def _embedded(self, texts: Sequence[str], seconds: float) -> Vectors:
        cut = [self._cut(text) for text in texts]
        batches = [self._asked(cut[start : start + BATCH], seconds) for start in range(0, len(cut), BATCH)]
        vectors = np.concatenate(batches) if batches else np.empty((0, self.dimensions), np.float32)
        if vectors.shape[1] != self.dimensions:
            raise self._failed(
                f"its vectors have {vectors.shape[1]:,} numbers, and had {self.dimensions:,} at the start: if that is "
                "meant, restart search and ingest"
            )
        return vectors

    def _asked(self, texts: Sequence[str], seconds: float) -> Vectors:
        body = {"model": self._server.model, "input": list(texts), "encoding_format": "float"}
        deadline = time.monotonic() + seconds
        try:
            with self._pool.request(
                "POST",
                f"{self._address}/v1/embeddings",
                json=body,
                redirect=False,
                preload_content=False,
                timeout=urllib3.Timeout(total=seconds),
            ) as answer:
                if answer.status != 200:
                    raise self._failed(f"status {answer.status}")
                return _vectors(_read(answer, deadline, MOST_BYTES * (1 + len(texts))), len(texts))
        except ValidationError:  # its text has the answer, and so may have those of the others
            raise self._failed("its answer is no list of embeddings") from None
        except urllib3.exceptions.TimeoutError:
            raise self._failed("timed out") from None
        except urllib3.exceptions.HTTPError as error:
            raise self._failed(type(error).__name__) from None
        except ValueError as error:
            raise self._failed(str(error)) from None

    def _failed(self, reason: str) -> EmbedderError:
        return EmbedderError(
            f"The embedder at {self._address} gave no vectors ({reason}): check the server, the model's name "
            f"({self._server.model or 'none'}) and the token."
        )


def _read(answer: urllib3.BaseHTTPResponse, deadline: float, most: int) -> bytes:
    """Raises ValueError for a body that is too long, or is not there in time however often a byte arrives."""
    body = bytearray()
    while part := answer.read1(_READ_BYTES):
        body += part
        if len(body) > most:
            raise ValueError(f"its answer has more than {most:,} bytes")
        if time.monotonic() > deadline:
            raise ValueError("its answer is not there in time")
    return bytes(body)


def _vectors(content: bytes, count: int) -> Vectors:
    """In the order of the texts. Raises ValueError unless each text has a vector, all of one size."""
    items = _Answer.model_validate_json(content).data
    rows = {item.index: item.embedding for item in items}
    if len(items) != count or rows.keys() != set(range(count)) or len({len(row) for row in rows.values()}) != 1:
        raise ValueError(f"it gave {len(rows)} vectors for {count} texts, or vectors of several sizes")
    return of_length_one(np.array([rows[index] for index in range(count)], np.float32))
