"""Which collections an embedder of another size has left."""

from retrieval.store.left_collections import LeftCollections
from retrieval.store.names import collection_of

NAMES = [collection_of("acme", 384), collection_of("acme", 768), collection_of("globex", 768), "books"]


def test_those_of_other_sizes_are_left_by_tenant() -> None:
    left = LeftCollections(768, lambda: NAMES)
    assert left.of("acme") == ["tenant_acme"]
    assert left.of("globex") == ()


def test_they_are_listed_once_a_second_and_a_failed_list_is_tried_again() -> None:
    now, listed = 0.0, 0
    names: list[str] = []

    def list_names() -> list[str]:
        nonlocal listed
        listed += 1
        return names

    left = LeftCollections(384, list_names, clock=lambda: now)
    assert left.of("acme") == ()
    names[:] = NAMES
    assert left.of("acme") == ()
    assert listed == 1
    now = 1.0
    assert left.of("acme") == ["tenant_acme_D768"]
