from hypothesis import given
from hypothesis import strategies as st

from service.backoff import Backoff


@given(st.integers(1, 10**9))
def test_a_delay_doubles_up_to_the_last_and_never_overflows(failures: int) -> None:
    delay = Backoff(first_s=0.5, last_s=10.0).delay(failures)
    assert delay == min(0.5 * 2 ** min(failures - 1, 10), 10.0)
