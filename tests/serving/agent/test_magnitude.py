import numpy as np
import pytest

from serving.agent import magnitude
from serving.agent.errors import RefusedError

RNG = np.random.default_rng(7)
A = RNG.normal(size=(4, 32)).astype(np.float32)
B = RNG.normal(size=(16, 4)).astype(np.float32)
NORM = float(np.linalg.norm(B.astype(np.float64) @ A.astype(np.float64)))


def test_the_update_is_measured_as_it_is_applied() -> None:
    assert magnitude.check("m", A, B, 0.5, None) == pytest.approx(NORM / 2, rel=1e-6)


@pytest.mark.parametrize("scale", [0.1, 1.0, 15.9])
def test_a_change_by_a_few_times_the_bases_own_norm_is_served(scale: float) -> None:
    magnitude.check("m", A, B, scale, NORM)


@pytest.mark.parametrize(
    ("a", "b", "scale", "reason"),
    [
        (A, B, 16.1, "UpdateTooLarge"),
        (A * 100, B, 1.0, "UpdateTooLarge"),
        (A * 1e4, B * 1e-4, 1.0, "WeightsTooLarge"),
        (A * 1e-4, B * 1e4, 1.0, "WeightsTooLarge"),
        (A, B, 1e6, "WeightsTooLarge"),
        (A * np.float32(1e38), B, 1e-30, "WeightsTooLarge"),
    ],
)
def test_what_could_overflow_is_refused_wherever_the_size_lies(
    a: magnitude.Matrix, b: magnitude.Matrix, scale: float, reason: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        magnitude.check("m", a, b, scale, NORM)
    assert caught.value.reason == reason


def test_of_a_base_that_cannot_be_read_the_numbers_alone_are_judged() -> None:
    magnitude.check("m", A * 100, B, 1.0, None)
