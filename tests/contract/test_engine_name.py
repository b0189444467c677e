from hypothesis import given
from hypothesis import strategies as st

from contract.engine_name import EngineName

NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,10}[a-z0-9])?", fullmatch=True)
DIGESTS = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)


@given(NAMES, NAMES, DIGESTS)
def test_what_is_written_is_read_back(tenant: str, adapter: str, digest: str) -> None:
    name = EngineName.of(tenant, adapter, digest)
    assert EngineName.parse(str(name)) == name
    assert digest.startswith(name.digest)


@given(NAMES, NAMES, NAMES, NAMES, DIGESTS, DIGESTS)
def test_different_versions_have_different_names(t: str, a: str, other_t: str, other_a: str, d: str, e: str) -> None:
    same = (t, a, d[:32]) == (other_t, other_a, e[:32])
    assert (str(EngineName.of(t, a, d)) == str(EngineName.of(other_t, other_a, e))) is same


@given(st.one_of(st.text(), st.sampled_from(["quiver-demo", "Qwen2.5-1.5B", "a.b", "..", "a.b.c", "a.b.c.d"])))
def test_other_names_are_no_versions(name: str) -> None:
    version = EngineName.parse(name)
    assert version is None or str(version) == name
