"""What a gateway says about some adapters, put into what it said about all."""

from hypothesis import given
from hypothesis import strategies as st

from contract.engine_name import engine_name
from contract.gateway import BASE_MODELS, GatewayState

ADAPTERS = [f"acme.{name}" for name in "abcd"]


@st.composite
def states(draw: st.DrawFn) -> GatewayState:
    flips = draw(st.dictionaries(st.sampled_from(ADAPTERS), st.integers(1, 3)))
    versions = draw(st.sets(st.tuples(st.sampled_from("abcd"), st.sampled_from("01"))))
    routable = frozenset(engine_name("acme", name, digit * 64) for name, digit in versions)
    routable |= draw(st.frozensets(st.sampled_from(("base", "other-base"))))
    in_flight = draw(st.dictionaries(st.sampled_from(sorted(routable) or ["base"]), st.integers(1, 2)))
    return GatewayState(generation=draw(st.integers(0, 5)), flips=flips, routable=routable, in_flight=in_flight)


@given(states(), states(), st.sets(st.sampled_from(ADAPTERS)))
def test_it_is_the_newer_state_of_these_and_the_older_state_of_the_others(
    before: GatewayState, after: GatewayState, names: set[str]
) -> None:
    merged = before.updated(after.about(names), names)
    for name in (*ADAPTERS, BASE_MODELS):
        truth = after if name in {*names, BASE_MODELS} else before
        assert merged.flips.get(name) == truth.flips.get(name)
        assert merged.versions.get(name, frozenset()) == truth.versions.get(name, frozenset())
    assert merged.routable == frozenset().union(*merged.versions.values())
    assert (merged.generation, merged.in_flight) == (after.generation, after.in_flight)
    assert GatewayState.model_validate_json(merged.model_dump_json()).versions == {
        name: versions for name, versions in merged.versions.items() if versions
    }
