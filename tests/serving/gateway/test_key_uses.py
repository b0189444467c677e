"""The last use of a key is what an accepted request leaves, and nothing else."""

from datetime import UTC, datetime

import pytest

from contract.api_key import key_digest
from contract.objects import collect
from contract.snapshot import Snapshot
from serving.gateway.authentication import Authentication
from serving.gateway.catalog import build_catalog
from serving.gateway.errors import Unauthenticated
from serving.gateway.key_uses import KeyUses
from tests.operators import objects

KEY = "qv-acme-0"


def _authentication(uses: KeyUses) -> Authentication:
    items = (objects.base_model(), objects.tenant("acme"), objects.api_key(sha256=key_digest(KEY)))
    catalog = build_catalog(Snapshot(objects=collect(items)), datetime.now(UTC))
    return Authentication(lambda: catalog, uses)


def test_an_accepted_key_is_used_now_and_a_refused_one_never() -> None:
    uses = KeyUses()
    authentication, begun = _authentication(uses), datetime.now(UTC)
    authentication.principal([f"Bearer {KEY}"])
    with pytest.raises(Unauthenticated):
        authentication.principal(["Bearer qv-acme-1"])
    assert list(uses.current.last) == ["acme"]
    assert list(uses.current.last["acme"]) == [key_digest(KEY)]
    assert begun <= uses.current.last["acme"][key_digest(KEY)] <= datetime.now(UTC)


def test_a_removed_key_is_forgotten() -> None:
    uses = KeyUses()
    uses.note("acme", "a" * 64, datetime.now(UTC))
    uses.note("acme", "b" * 64, datetime.now(UTC))
    uses.keep({("acme", "b" * 64): None})
    assert list(uses.current.last["acme"]) == ["b" * 64]
