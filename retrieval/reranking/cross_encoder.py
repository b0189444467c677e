"""A cross-encoder in this process: ONNX Runtime over a folder with `model.onnx` and `tokenizer.json`."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Encoding, Tokenizer

from retrieval.errors import RerankerError

MAX_TOKENS = 512  # of a question and a passage together; what is longer is cut
BATCH = 4  # passages between two looks at the time


class CrossEncoder:
    """Reads the question and a passage together."""

    def __init__(self, folder: Path, *, seconds: float, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(
                folder / "model.onnx", sess_options=options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # both libraries raise bare Exception subclasses of their own
            raise RerankerError(
                f"The re-ranker's folder {folder} cannot be used ({error}): export a cross-encoder into it with "
                "python -m retrieval.reranking.export."
            ) from error
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()
        self._inputs = {entry.name for entry in self._session.get_inputs()}
        self._seconds = seconds

    async def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        return await asyncio.to_thread(self._scores, question, passages)

    async def close(self) -> None:
        """Frees the model."""
        del self._session, self._tokenizer

    def _scores(self, question: str, passages: Sequence[str]) -> list[float]:
        deadline, scores = time.monotonic() + self._seconds, []
        for start in range(0, len(passages), BATCH):
            if time.monotonic() >= deadline:
                break
            scores += self._batch(question, passages[start : start + BATCH])
        return scores

    def _batch(self, question: str, passages: Sequence[str]) -> list[float]:
        encodings = self._tokenizer.encode_batch([(question, passage) for passage in passages])
        feeds = {name: value for name, value in _feeds(encodings).items() if name in self._inputs}
        logits = np.asarray(self._session.run(None, feeds)[0], np.float64)
        # One output: how relevant. Two: irrelevant, relevant.
        return [float(row[-1] - (row[0] if len(row) > 1 else 0.0)) for row in logits]


def _feeds(encodings: Sequence[Encoding]) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    return {
        "input_ids": np.array([each.ids for each in encodings], np.int64),
        "attention_mask": np.array([each.attention_mask for each in encodings], np.int64),
        "token_type_ids": np.array([each.type_ids for each in encodings], np.int64),
    }
