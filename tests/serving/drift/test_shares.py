"""Samples of one class."""

from hypothesis import given
from hypothesis import strategies as st

from serving.drift.shares import of_class, of_size

sizes = st.floats(0, 1e9, allow_nan=False)


@given(st.integers(-5, 50))
def test_a_sample_has_one_class(number: int) -> None:
    assert of_class(number, 4).tolist() == [float(each == max(0, min(number, 3))) for each in range(4)]


@given(sizes, sizes)
def test_larger_sizes_are_in_no_earlier_class(one: float, other: float) -> None:
    smaller, larger = sorted((one, other))
    assert of_size(smaller, 0.001, 20).argmax() <= of_size(larger, 0.001, 20).argmax()


def test_each_class_is_a_factor_wide() -> None:
    assert [int(of_size(value, 1, 6).argmax()) for value in (0.5, 1, 1.9, 2, 3.9, 4, 1_000)] == [0, 1, 1, 2, 2, 3, 5]
