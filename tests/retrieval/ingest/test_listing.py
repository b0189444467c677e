"""Which files a knowledge base over its limit follows."""

from hypothesis import given
from hypothesis import strategies as st

from retrieval.ingest.listing import listing, within
from retrieval.ingest.scan import File

PATHS = st.sets(st.text("abc", min_size=1, max_size=4), max_size=12)


def files(paths: set[str]) -> list[File]:
    return [File("/source", path, 1, 0.0, "signature") for path in paths]


@given(present=PATHS, indexed=PATHS, kept=st.integers(0, 5), most=st.integers(1, 15))
def test_indexed_files_are_always_listed_and_new_ones_up_to_the_limit(
    present: set[str], indexed: set[str], kept: int, most: int
) -> None:
    listed, left_out = within([listing(files(present), indexed, most)], kept, most)
    paths = [file.path for file in listed]
    new = sorted(present - indexed)
    assert set(paths) & indexed == present & indexed
    assert [path for path in paths if path not in indexed] == new[: max(0, most - kept - len(present & indexed))]
    assert left_out == len(present) - len(paths)


def test_sources_share_the_limit_in_their_order() -> None:
    listed, left_out = within([listing(files({"a", "b"}), set(), 3), listing(files({"c", "d"}), set(), 3)], 0, 3)
    assert ([file.path for file in listed], left_out) == (["a", "b", "c"], 1)
