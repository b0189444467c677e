"""What a cache keeps, whatever order news comes in. Lists, watches, their faults: tests/api_server/test_faults.py."""

from collections.abc import Mapping
from typing import Any, cast

from kube.client import Client
from kube.informer import Informer
from kube.resource import BY_KIND


def _item(name: str, version: int) -> dict[str, Any]:
    return {"metadata": {"namespace": "acme", "name": name, "resourceVersion": str(version)}}


class Cache:
    """Keeps the version of each object; the second version of the one called bad cannot be read."""

    def __init__(self) -> None:
        self.changes: list[tuple[str | None, str | None]] = []
        self.informer: Informer[str] = Informer(
            cast(Client, None), BY_KIND["Adapter"], read=_read, on_change=self._on_change
        )

    def _on_change(self, before: str | None, after: str | None) -> None:
        self.changes.append((before, after))

    def watch(self, name: str, version: int, *, gone: bool = False) -> None:
        self.informer._apply_item(_item(name, version), gone=gone)
        self.informer._version = str(version)

    @property
    def kept(self) -> dict[str, str]:
        return {name: value for (_, name), value in self.informer.objects.items()}


def _read(item: Mapping[str, Any]) -> str:
    metadata = item["metadata"]
    if (metadata["name"], metadata["resourceVersion"]) == ("bad", "2"):
        raise RecursionError
    return str(metadata["resourceVersion"])


def test_what_a_write_came_back_with_counts_at_once_and_older_news_does_not_undo_it() -> None:
    cache = Cache()
    cache.watch("a", 1)
    cache.informer.assume(_item("a", 5))
    cache.watch("a", 3)
    assert cache.kept == {"a": "5"}
    assert cache.changes == [(None, "1"), ("1", "5")]


def test_a_write_that_the_watch_brings_again_is_no_change_and_keeps_one_copy() -> None:
    """Of values that are equal, the one that others were given stays."""
    informer: Informer[list[str]] = Informer(
        cast(Client, None), BY_KIND["Adapter"], read=lambda item: [item["metadata"]["name"]], on_change=lambda *_: None
    )
    informer.assume(_item("a", 1))
    (before,) = informer.objects.values()
    informer._apply_item(_item("a", 1))
    (after,) = informer.objects.values()
    assert after is before


def test_an_object_that_was_deleted_does_not_come_back_with_the_answer_to_an_earlier_write() -> None:
    cache = Cache()
    cache.watch("a", 9)
    cache.watch("a", 11, gone=True)
    cache.informer.assume(_item("a", 10))
    assert cache.kept == {}


def test_one_that_was_made_by_a_write_is_kept_before_the_watch_brings_it() -> None:
    cache = Cache()
    cache.watch("other", 3)
    cache.informer.assume(_item("new", 4))
    assert "new" in cache.kept


def test_of_one_that_cannot_be_read_the_last_reading_stands() -> None:
    cache = Cache()
    cache.watch("bad", 1)
    cache.watch("bad", 2)
    cache.watch("good", 3)
    assert cache.kept == {"bad": "1", "good": "3"}


def test_a_cache_is_complete_while_it_has_a_value_for_every_object() -> None:
    cache = Cache()
    cache.watch("bad", 2)
    assert not cache.informer.complete
    cache.watch("bad", 3)
    cache.watch("good", 4)
    assert cache.informer.complete
    cache.watch("bad", 5, gone=True)
    assert cache.informer.complete
