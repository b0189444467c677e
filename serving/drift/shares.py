"""Samples of one class each: the mean of many is the share of each class."""

import math

import numpy as np

from serving.drift.hours import Numbers


def of_class(number: int, width: int) -> Numbers:
    """1 for the class, from 0, else 0; the last class takes everything beyond it."""
    sample = np.zeros(width, np.float32)
    sample[max(0, min(number, width - 1))] = 1.0
    return sample


def of_size(value: float, least: float, width: int, *, each: float = 2.0) -> Numbers:
    """Class 0 is below `least`; each later one goes up to `each` times as far."""
    number = 0 if value < least else 1 + math.floor(math.log(value / least, each))
    return of_class(number, width)
