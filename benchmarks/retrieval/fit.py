"""Fits the weights of `retrieval.relevance`: python -m benchmarks.retrieval.fit SQUAD.json KORQUAD.json

The files have the format of SQuAD. Knowledge bases of one to most articles are asked questions on their own articles
and on absent ones, as many of each. A question's example is its most relevant chunk under the weights so far, so the
fitted probability is that of the best chunk. Prints the weights, and what they answer and refuse.
"""

import argparse
import random
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.retrieval.library import MODEL, Library, Shelf, milvus
from benchmarks.retrieval.questions import Document, squad
from contract.search import MIN_RELEVANCE
from retrieval.embedding.sentence_encoder import SentenceEncoder
from retrieval.ranking import signals_of
from retrieval.relevance import FITTED, Signals, Weights, relevance, saturated
from retrieval.store import Store

SEED = 20_261_128
SHARES = (0.0, 0.03, 0.1, 0.3, 0.6, 0.9)  # of a collection's articles in a knowledge base, at least one
ASKED = 100  # questions of each kind for each knowledge base
ROUNDS = 8
RIDGE = 1e-3

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    """The signals of each hit of a question, and whether its document is there."""

    hits: tuple[Signals, ...]
    is_answerable: bool


def examples(store: Store, embedder: SentenceEncoder, name: str, documents: Sequence[Document]) -> list[Example]:
    library, chance = Library(store, embedder, documents), random.Random(SEED)
    made: list[Example] = []
    for number, share in enumerate(SHARES):
        inside = frozenset(chance.sample(range(len(documents)), max(1, round(share * len(documents)))))
        shelf = library.shelf(f"{name}-{number}", inside)
        for is_answerable in (True, False):
            chosen = [each for each in range(len(documents)) if (each in inside) is is_answerable]
            texts = [question.text for each in chosen for question in documents[each].questions]
            made += [_example(shelf, text, is_answerable) for text in chance.sample(texts, min(ASKED, len(texts)))]
        print(f"{name}: {len(inside)} of {len(documents)} articles", flush=True)
    return made


def _example(shelf: Shelf, question: str, is_answerable: bool) -> Example:
    hits, query = shelf.find(question)
    return Example(tuple(signals_of(hits, query).values()), is_answerable)


def fitted(made: Sequence[Example]) -> Weights:
    weights = FITTED
    answers = np.array([example.is_answerable for example in made], float)
    for _round in range(ROUNDS):
        rows = np.array([_row(max(example.hits, key=lambda each: relevance(each, weights))) for example in made])
        weights = Weights(*_logistic(rows, answers))
    return weights


def _row(signals: Signals) -> tuple[float, ...]:
    """In the order of `Weights`."""
    by_words = (signals.coverage**2, signals.match**2, saturated(signals.matched))
    return (signals.cosine or 0.0, *by_words, float(signals.cosine is None), 1.0)


def _logistic(rows: Matrix, answers: Matrix) -> list[float]:
    """Newton's method with a small ridge, not on the constant."""
    ridge = RIDGE * np.diag([1.0] * (rows.shape[1] - 1) + [0.0])
    weights = np.zeros(rows.shape[1])
    for _step in range(50):
        chance = 1 / (1 + np.exp(-rows @ weights))
        gradient = rows.T @ (chance - answers) / len(answers) + ridge @ weights
        curvature = (rows * (chance * (1 - chance))[:, None]).T @ rows / len(answers) + ridge
        weights -= np.linalg.solve(curvature, gradient)
    return [float(round(weight, 2)) for weight in weights]


def shares(made: Sequence[Example], weights: Weights, least: float) -> tuple[float, float]:
    """The share of answerable questions that are answered, and of others that are refused."""
    best = {True: [0.0], False: [0.0]}
    for example in made:
        best[example.is_answerable].append(max(relevance(each, weights) for each in example.hits))
    return float(np.mean(np.array(best[True][1:]) >= least)), float(np.mean(np.array(best[False][1:]) < least))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    embedder = SentenceEncoder(MODEL, threads=2)
    with milvus() as store:
        made = {file.stem: examples(store, embedder, file.stem, squad(file)) for file in parser.parse_args().files}
    made = {name: [example for example in each if example.hits] for name, each in made.items()}
    weights = fitted([example for each in made.values() for example in each])
    print(f"weights (cosine, coverage, match, matched, unread, constant): {astuple(weights)}")
    for name, each in made.items():
        for least in (0.3, MIN_RELEVANCE, 0.4, 0.5, 0.6):
            answered, refused = shares(each, weights, least)
            print(f"{name}: at {least}: {answered:.3f} answered, {refused:.3f} refused")


if __name__ == "__main__":
    main()
