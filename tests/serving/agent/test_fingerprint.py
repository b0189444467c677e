from hypothesis import given
from hypothesis import strategies as st

from contract.agent import Fingerprint
from serving.agent.fingerprint import TOLERANCE, distance

TOPS = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.floats(-20, 0)), min_size=1, max_size=5, unique_by=lambda item: item[0]
).map(tuple)
FINGERPRINTS = st.lists(TOPS, min_size=3, max_size=3).map(lambda tops: Fingerprint(engine="1", prompts=tuple(tops)))


@given(FINGERPRINTS, FINGERPRINTS)
def test_a_distance_is_one(one: Fingerprint, other: Fingerprint) -> None:
    assert distance(one, one) == 0
    assert distance(one, other) == distance(other, one)
    assert distance(one, other) >= 0


def _fingerprint(*tops: tuple[tuple[str, float], ...]) -> Fingerprint:
    return Fingerprint(engine="1", prompts=tops)


def test_tokens_that_change_places_at_the_end_of_a_list_weigh_as_little_as_they_differ() -> None:
    one = _fingerprint((("a", -0.1), ("b", -4.000)))
    other = _fingerprint((("a", -0.1), ("c", -4.001)))
    assert distance(one, other) < TOLERANCE


def test_another_set_of_prompts_is_never_near() -> None:
    top = (("a", -0.1),)
    assert distance(_fingerprint(top), _fingerprint(top, top)) == float("inf")
