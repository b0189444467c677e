"""A re-ranker behind an address: `POST /v1/rerank`, as vLLM, Jina and Cohere have it."""

from collections.abc import Sequence

import aiohttp
from pydantic import BaseModel, FiniteFloat, SecretStr, ValidationError

from retrieval.errors import RerankerError

MOST_BYTES = 4 << 20  # of an answer: it may repeat the passages


class _Result(BaseModel):
    index: int
    relevance_score: FiniteFloat


class _Answer(BaseModel):
    results: list[_Result]


class Remote:
    """A server's cross-encoder. The session is opened by the first call, since it belongs to a running loop."""

    def __init__(self, address: str, *, model: str, token: SecretStr, seconds: float) -> None:
        self._address, self._model, self._token, self._seconds = address.rstrip("/"), model, token, seconds
        self._session: aiohttp.ClientSession | None = None

    async def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        body = {"model": self._model, "query": question, "documents": list(passages), "top_n": len(passages)}
        try:
            async with self._opened().post(f"{self._address}/v1/rerank", json=body, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise self._failed(f"status {answer.status}")
                return _in_order(_Answer.model_validate_json(await _read(answer)), len(passages))
        except ValidationError as error:  # its text has the answer, and so the passages
            raise self._failed("its answer is no list of scores") from error
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise self._failed(str(error) or type(error).__name__) from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            secret = self._token.get_secret_value()
            headers = {"Authorization": f"Bearer {secret}"} if secret else {}
            self._session = aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=self._seconds))
        return self._session

    def _failed(self, reason: str) -> RerankerError:
        return RerankerError(
            f"The re-ranker at {self._address} did not answer ({reason}): hits keep their order; check the server, "
            "the model's name and the token."
        )


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """Raises ValueError for a body over the limit."""
    body = bytearray()
    async for part in answer.content.iter_any():
        body += part
        if len(body) > MOST_BYTES:
            raise ValueError(f"its answer has more than {MOST_BYTES:,} bytes")
    return bytes(body)


def _in_order(answer: _Answer, count: int) -> list[float]:
    """The scores in the order of the passages. Raises ValueError unless each passage has one."""
    scores = {result.index: result.relevance_score for result in answer.results}
    if set(scores) != set(range(count)) or len(answer.results) != count:
        raise ValueError(f"it gave {len(answer.results)} scores for {count} passages")
    return [scores[index] for index in range(count)]
