"""An embedder in this process: ONNX Runtime over a folder with `model.onnx`, `tokenizer.json` and `embedder.json`."""

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from contract.body import MOST_DIMENSIONS
from retrieval.embedding.legibility import legibility
from retrieval.embedding.recipe import Pooling, Recipe, read
from retrieval.embedding.trial import Trial, tried
from retrieval.embedding.vectors import Vectors, of_length_one
from retrieval.errors import EmbedderError

TOKEN_CHARACTERS = 16  # the length of the longest piece of real words in the vocabulary
BATCH = 16
LONGER = 1.5  # than the shortest text of a batch: every text is as much work as the longest


class SentenceEncoder:
    """An `Embedder`."""

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        try:
            self._session = onnxruntime.InferenceSession(
                folder / "model.onnx", sess_options=_options(threads), providers=["CPUExecutionProvider"]
            )
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # both libraries raise bare Exception subclasses of their own
            raise EmbedderError(
                f"The embedder folder {folder} cannot be used ({error}): export the model into it with "
                "python -m retrieval.embedding.export."
            ) from error
        self._recipe = read(folder)
        self._inputs = {entry.name for entry in self._session.get_inputs()}
        self.id = _id(folder, self._recipe)
        self.dimensions = self._dimensions(folder)

    @property
    def max_tokens(self) -> int:
        """Of a text, two special ones included; the rest is ignored."""
        return self._recipe.max_tokens

    @property
    def passage_tokens(self) -> int:
        """The most tokens of a passage read whole: beside two special ones and the prefix."""
        return self.max_tokens - 2 - len(self._encode(self._recipe.passage_prefix))

    @cached_property
    def trial(self) -> Trial:
        """Takes 0.4 s at the first call: ingest needs none."""
        return tried(self)

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self._embedded([self._recipe.passage_prefix + text for text in texts])

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self._embedded([self._recipe.query_prefix + text for text in texts])

    def legibility(self, text: str) -> float:
        """The share of the text in the vocabulary, 0 to 1."""
        encoding = self._encode(text)
        return legibility(encoding.tokens, encoding.offsets, text)

    def is_read_whole(self, text: str) -> bool:
        """True if the model reads the whole text. Two positions are for the model's special tokens."""
        return len(self._encode(text)) <= self.max_tokens - 2

    def tokens(self, text: str) -> int:
        """The size of a text in pieces; several pieces of one character count once.

        Text that the tokenizer drops (stacked marks) or maps to one unknown word still counts by its length.
        """
        return max(len(set(self._encode(text).offsets)), len(text) // TOKEN_CHARACTERS)

    def close(self) -> None:
        """Frees the model, some 100 MB; nothing can be embedded after it. FastAPI caches every route of a process, and
        so what the route uses."""
        del self._session, self._tokenizer

    def _encode(self, text: str) -> Encoding:
        return self._tokenizer.encode(text, add_special_tokens=False)

    def _embedded(self, texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for places in batches([len(text) for text in texts]):
            vectors[places] = self._batch([texts[place] for place in places])
        return vectors

    def _dimensions(self, folder: Path) -> int:
        width = int(self._batch([""]).shape[1])
        if width > MOST_DIMENSIONS:
            raise EmbedderError(
                f"The model in {folder} has vectors of {width:,} numbers: use one with {MOST_DIMENSIONS:,} at most."
            )
        return width

    def _batch(self, texts: Sequence[str]) -> Vectors:
        encodings = self._tokenizer.encode_batch(list(texts))
        width = min(self.max_tokens, max(len(encoding) for encoding in encodings))
        ids, mask = np.zeros((2, len(texts), width), np.int64)
        for row, encoding in enumerate(encodings):
            kept = encoding.ids if len(encoding) <= width else [*encoding.ids[: width - 1], encoding.ids[-1]]
            ids[row, : len(kept)] = kept
            mask[row, : len(kept)] = 1
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = self._session.run(None, {name: feeds[name] for name in self._inputs})[0]
        return _pooled(hidden, mask, self._recipe.pooling)


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The places of texts to embed together, at most BATCH of similar length."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) == BATCH or lengths[place] > LONGER * lengths[batch[0]]):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return options


def _id(folder: Path, recipe: Recipe) -> str:
    """Identifies everything with an effect on vectors: two embedders never have the same one."""
    digest = hashlib.sha256(recipe.model_dump_json().encode())
    for name in ("model.onnx", "tokenizer.json"):
        with (folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def _pooled(hidden: NDArray[np.float32], mask: NDArray[np.int64], pooling: Pooling) -> Vectors:
    """One vector for each text, of length 1, from float32[batch, sequence, dimensions]."""
    if pooling is Pooling.CLS:
        vectors = hidden[:, 0]
    else:
        weights = mask[..., None].astype(np.float32)
        vectors = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
    return of_length_one(vectors)
