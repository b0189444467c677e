"""Made traffic of one tenant: first questions about topics, with a daily rhythm, and days that differ.

30 topics in 32 dimensions; 5 more are kept for a shift.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serving.drift.hours import DAY, Hours
from serving.drift.statistics.features import WIDTH, Features

TOPICS, NEW_TOPICS, DIMENSIONS = 30, 5, 32
SPREAD = 0.9  # of questions around their topic
RHYTHM = 0.6  # of the topics' log-odds, by hour and at weekends
DAYS = 0.15  # of the topics' log-odds, by day
BUSY = 0.7  # part of the rate by which hours differ
FEATURES = Features(DIMENSIONS)


@dataclass(frozen=True)
class Regime:
    """`rhythm` and `days` are how much topics differ by hour and by day. Of conversations, first questions count."""

    name: str
    rhythm: float = 0.0
    days: float = 0.0


REGIMES = (Regime("independent"), Regime("rhythm", rhythm=RHYTHM), Regime("days", rhythm=RHYTHM, days=DAYS))


class Traffic:
    """First questions of conversations, `rate` an hour on average."""

    def __init__(self, regime: Regime, seed: int, rate: float = 24.0) -> None:
        self._regime, self._rate = regime, rate
        self._rng = np.random.default_rng(seed)
        self._centres = self._rng.standard_normal((TOPICS + NEW_TOPICS, DIMENSIONS))
        self._shares = np.log(self._rng.dirichlet(np.ones(TOPICS)))
        self._by_hour = self._rng.standard_normal((2, TOPICS)) * regime.rhythm
        self._weekend = self._rng.standard_normal(TOPICS) * regime.rhythm

    def hours(self, first: int, count: int, moved: float = 0.0) -> Hours:
        """`count` hours from `first` on; a share `moved` of the conversations is about new topics."""
        hours = np.arange(first, first + count)
        angle = 2 * np.pi * (hours % DAY) / DAY
        rates = self._rate * (1 + BUSY * np.sin(angle))
        counts = self._rng.poisson(rates)
        odds = (
            self._shares
            + np.sin(angle)[:, None] * self._by_hour[0]
            + np.cos(angle)[:, None] * self._by_hour[1]
            + (((hours // DAY + 3) % 7) >= 5)[:, None] * self._weekend
            + self._of_days(hours)
        )
        shares = np.exp(odds - odds.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        total = np.zeros((count, WIDTH), np.float32)
        for hour in range(count):
            total[hour] = self._features(shares[hour], int(counts[hour]), moved).sum(axis=0)
        return Hours(hours, counts.astype(np.float32), total)

    def _of_days(self, hours: NDArray[np.int64]) -> NDArray[np.float64]:
        days = hours // DAY - hours[0] // DAY
        noise = self._rng.standard_normal((int(days[-1]) + 1, TOPICS)) * self._regime.days
        return np.asarray(noise[days], np.float64)

    def _features(self, shares: NDArray[np.float64], count: int, moved: float) -> NDArray[np.float32]:
        topics = self._rng.choice(TOPICS, size=count, p=shares)
        new = self._rng.random(count) < moved
        topics[new] = TOPICS + self._rng.integers(NEW_TOPICS, size=int(new.sum()))
        vectors = self._centres[topics] + SPREAD * self._rng.standard_normal((count, DIMENSIONS))
        return FEATURES.of(vectors)


class Shares:
    """Answers of one class each, of `width`: how they end, how long they are. `moved` gives a share of them the next
    class."""

    def __init__(self, regime: Regime, seed: int, width: int, rate: float = 24.0) -> None:
        self._regime, self._rate, self._width = regime, rate, width
        self._rng = np.random.default_rng(seed)
        self._odds = np.log(self._rng.dirichlet(np.full(width, 0.5)) + 1e-4)
        self._by_hour = self._rng.standard_normal((2, width)) * regime.rhythm
        self._weekend = self._rng.standard_normal(width) * regime.rhythm

    def hours(self, first: int, count: int, moved: float = 0.0) -> Hours:
        hours = np.arange(first, first + count)
        angle = 2 * np.pi * (hours % DAY) / DAY
        counts = self._rng.poisson(self._rate * (1 + BUSY * np.sin(angle)))
        days = hours // DAY - hours[0] // DAY
        odds = (
            self._odds
            + np.sin(angle)[:, None] * self._by_hour[0]
            + np.cos(angle)[:, None] * self._by_hour[1]
            + (((hours // DAY + 3) % 7) >= 5)[:, None] * self._weekend
            + (self._rng.standard_normal((int(days[-1]) + 1, self._width)) * self._regime.days)[days]
        )
        shares = np.exp(odds)
        shares /= shares.sum(axis=1, keepdims=True)
        shares = (1 - moved) * shares + moved * np.roll(shares, 1, axis=1)
        total = [self._rng.multinomial(many, share) for many, share in zip(counts, shares, strict=True)]
        return Hours(hours, counts.astype(np.float32), np.array(total, np.float32))
