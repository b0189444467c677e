"""Checks named winners against ten times as many questions, and against variants without a difference."""

from collections.abc import Mapping, Sequence

import numpy as np

from tuning.evaluation.comparison import compared

RESAMPLES = 100

Outcomes = Mapping[str, Sequence[float]]  # by variant, in the order of the questions


def named(outcomes: Outcomes, seed: int = 0) -> tuple[float, int]:
    """Evaluates tenths of the questions: the share of right winners among the named ones, and the number of those."""
    truth = max(outcomes, key=lambda name: np.mean(outcomes[name]))
    winners = [winner for winner in (_winner(outcomes, seed + n) for n in range(RESAMPLES)) if winner]
    return (sum(winner == truth for winner in winners) / len(winners) if winners else 1.0), len(winners)


def named_without_difference(outcomes: Outcomes, seed: int = 0) -> int:
    """Exchanges the outcomes of two variants by chance, and counts the tenths with a named winner."""
    one, other = (np.asarray(values) for values in list(outcomes.values())[:2])
    rng = np.random.default_rng(seed)
    count = 0
    for number in range(RESAMPLES):
        swapped = rng.random(len(one)) < 0.5
        mixed = {"one": np.where(swapped, other, one).tolist(), "other": np.where(swapped, one, other).tolist()}
        count += _winner(mixed, number) is not None
    return count


def _winner(outcomes: Outcomes, seed: int) -> str | None:
    total = len(next(iter(outcomes.values())))
    drawn = np.random.default_rng(seed).choice(total, total // 10, replace=False)
    part = {name: [values[index] for index in drawn] for name, values in outcomes.items()}
    return compared(part, [str(index) for index in drawn], dict.fromkeys(outcomes, 1.0)).winner
