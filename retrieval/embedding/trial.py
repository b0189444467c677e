"""A test of an embedder with questions and their passages.

Cosines of all-MiniLM-L6-v2 are about 0.5 for a question and its passage, and 0.1 for texts that have nothing in common;
those of the E5 models are 0.7 to 1.0 for all texts, by their model card. The weights of the relevance were fitted on
the former, so other models' cosines are moved to its scale.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.embedding.pairs import LANGUAGES, Pair
from retrieval.embedding.scripts import scripts_of, share
from retrieval.embedding.vectors import Vectors
from retrieval.errors import EmbedderError

READ = 0.75  # of a language's questions, so many are nearest to their own passage; by chance one in eight is
LEAST_GAP = 0.03  # between the mean cosines of texts that belong together and that do not
# Of all-MiniLM-L6-v2, with the same pairs.
RELATED, UNRELATED = 0.54, 0.09


class Encoder(Protocol):
    """The tested part of an embedder."""

    def embed(self, texts: Sequence[str]) -> Vectors: ...

    def embed_queries(self, texts: Sequence[str]) -> Vectors: ...


@dataclass(frozen=True)
class Trial:
    scripts: Set[str]
    """Of the languages in which questions are nearest to their own passage."""
    is_multilingual: bool
    """Half of the languages or more."""
    related: float
    """The mean cosine of a question and its passage, in these languages."""
    unrelated: float
    """The mean cosine of a question and another's passage."""

    def cosine(self, raw: float) -> float:
        """A cosine of this embedder, on the scale of all-MiniLM-L6-v2."""
        slope = (RELATED - UNRELATED) / (self.related - self.unrelated)
        return max(-1.0, min(1.0, UNRELATED + (raw - self.unrelated) * slope))

    def legibility(self, text: str) -> float:
        """The legible share of a text's letters, 0 to 1. A model of many languages is taken to read
        those that were not tried."""
        return share(text, lambda script: script in self.scripts or (self.is_multilingual and script not in _TRIED))


def tried(embedder: Encoder) -> Trial:
    """Blocks for 0.3 s. Raises `EmbedderError`, also for a model unable to tell texts apart."""
    questions = _by_language(embedder.embed_queries([pair.question for pair in _all()]))
    passages = _by_language(embedder.embed([pair.passage for pair in _all()]))
    cosines = {language: questions[language] @ passages[language].T for language in LANGUAGES}
    read = {language: table for language, table in cosines.items() if _share_nearest(table) >= READ}
    trial = Trial(
        is_multilingual=2 * len(read) >= len(LANGUAGES),
        scripts=frozenset().union(*(_scripts(LANGUAGES[language]) for language in read)),
        related=_mean([np.diag(table) for table in read.values()]),
        unrelated=_mean([table[~np.eye(len(table), dtype=bool)] for table in read.values()]),
    )
    if not trial.related - trial.unrelated >= LEAST_GAP:
        raise EmbedderError(
            f"The embedder does not tell texts apart that have nothing in common (mean cosine {trial.unrelated:.2f}, "
            f"of questions and their passages {trial.related:.2f}; 0.00 if it finds none in {', '.join(LANGUAGES)}): "
            "check its pooling, its prefixes and its model."
        )
    return trial


def _all() -> list[Pair]:
    return [pair for pairs in LANGUAGES.values() for pair in pairs]


def _by_language(vectors: Vectors) -> Mapping[str, Vectors]:
    ends = np.cumsum([len(pairs) for pairs in LANGUAGES.values()])
    return dict(zip(LANGUAGES, np.split(vectors, ends[:-1]), strict=True))


def _share_nearest(table: NDArray[np.float32]) -> float:
    """The share of questions, one a row, whose nearest passage is their own."""
    return float(np.mean(table.argmax(axis=1) == np.arange(len(table))))


def _scripts(pairs: Sequence[Pair]) -> Set[str]:
    """Those of at least a tenth of the letters: texts of one language quote others."""
    counted = scripts_of(" ".join(pair.passage for pair in pairs))
    return {script for script, letters in counted.items() if letters >= counted.total() / 10}


_TRIED = frozenset().union(*map(_scripts, LANGUAGES.values()))


def _mean(parts: Sequence[NDArray[np.float32]]) -> float:
    """0 of nothing."""
    return float(np.concatenate(parts).mean()) if parts else 0.0
