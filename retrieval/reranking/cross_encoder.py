"""A cross-encoder in this process: ONNX Runtime over a folder with `model.onnx` and `tokenizer.json`."""

import asyncio
import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from retrieval.errors import RerankerError

MOST_TOKENS = 512  # of a question and a passage together, unless the tokenizer says otherwise; the rest is cut
MOST_WAITING = 4  # searches; further ones keep their order


class CrossEncoder:
    """Reads the question and a passage together, in one thread of its own: a slow model delays nothing else."""

    def __init__(self, folder: Path, *, seconds: float, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._seconds, self._waiting = seconds, 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="re-ranker")
        try:
            self._session = onnxruntime.InferenceSession(
                folder / "model.onnx", sess_options=options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._tokenizer.enable_truncation((self._tokenizer.truncation or {}).get("max_length", MOST_TOKENS))
            self._inputs = {entry.name for entry in self._session.get_inputs()}
            self._score("word " * MOST_TOKENS, "word " * MOST_TOKENS)  # the longest pair that it will read
        except Exception as error:  # both libraries raise bare Exception subclasses of their own
            raise RerankerError(
                f"The re-ranker's folder {folder} cannot be used ({error}): export a cross-encoder into it with "
                "python -m retrieval.reranking.export."
            ) from error

    async def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        if self._waiting >= MOST_WAITING:
            raise RerankerError("The re-ranker is busy with other searches: hits keep their order.")
        scores: list[float] = []  # filled by the thread
        deadline = time.monotonic() + self._seconds
        self._waiting += 1
        reading = asyncio.get_running_loop().run_in_executor(
            self._thread, self._read, question, passages, deadline, scores
        )
        reading.add_done_callback(self._done)
        await asyncio.wait([reading], timeout=self._seconds)
        if reading.done() and (error := reading.exception()):
            raise RerankerError(f"The re-ranker failed ({type(error).__name__}): hits keep their order.") from error
        return list(scores)

    async def close(self) -> None:
        """Frees the model, once its thread is done with the passage that it reads."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)
        del self._session, self._tokenizer

    def _done(self, _reading: "asyncio.Future[None]") -> None:
        self._waiting -= 1

    def _read(self, question: str, passages: Sequence[str], deadline: float, scores: list[float]) -> None:
        for passage in passages:
            if time.monotonic() >= deadline:
                return
            scores.append(self._score(question, passage))

    def _score(self, question: str, passage: str) -> float:
        """Raises ValueError for a model with other outputs than a re-ranker's."""
        encoding = self._tokenizer.encode(question, passage)
        feeds = {
            "input_ids": _row(encoding.ids),
            "attention_mask": _row(encoding.attention_mask),
            "token_type_ids": _row(encoding.type_ids),
        }
        logits = self._session.run(None, {name: feeds[name] for name in self._inputs})[0]
        return _score(np.asarray(logits, np.float64))


def _row(values: Sequence[int]) -> NDArray[np.int64]:
    return np.array([values], np.int64)


def _score(logits: NDArray[np.float64]) -> float:
    """One output: how relevant. Two: irrelevant, relevant."""
    outputs = logits.tolist()
    if len(outputs) != 1 or not isinstance(outputs[0], list) or not 1 <= len(outputs[0]) <= 2:
        raise ValueError(f"its output has the shape {logits.shape}: a re-ranker has one or two numbers for a pair")
    score: float = outputs[0][-1] - (outputs[0][0] if len(outputs[0]) > 1 else 0.0)
    if not math.isfinite(score):
        raise ValueError("its output is not finite")
    return score
