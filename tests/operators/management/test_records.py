"""Sessions, failed sign-ins, changes and ratings, in SQLite and PostgreSQL."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from operators.management import attempts, changes, sessions
from operators.management.attempts import Attempts, wait_s
from operators.management.changes import Change, Changes
from operators.management.errors import NotFoundError, TooManyAttemptsError
from operators.management.identity import Identity
from operators.management.ratings import Rating, Ratings
from operators.management.records import SECOND, Records
from operators.management.sessions import Sessions
from service.clock import microseconds
from service.errors import UnavailableError
from tests.retrieval.documents.postgres import postgres

BOSS = Identity("key boss", "acme", frozenset({"admin"}))
RATING = Rating("acme", "key boss", "support", "How long?", "30 days", True, "")


@pytest.fixture(params=["sqlite", "postgresql"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Records]:
    if request.param == "sqlite":
        made = Records(f"sqlite:///{tmp_path}/management.db")
        yield made
        made.close()
        return
    with postgres(tmp_path) as url:
        made = Records(url)
        yield made
        made.close()


async def test_a_session_is_found_by_its_secret_until_it_is_closed(records: Records) -> None:
    opened = Sessions(records)
    secret = await opened.open(BOSS, "d" * 64)
    other = await opened.open(BOSS, "d" * 64)
    assert secret != other
    found = await opened.find(secret)
    assert found is not None
    assert (found.identity, found.key_digest) == (BOSS, "d" * 64)
    assert await opened.find(secret + "0") is None
    await opened.close(secret)
    assert await opened.find(secret) is None
    assert await opened.find(other) is not None


@pytest.mark.parametrize(("step_s", "steps"), [(sessions.IDLE_S + 1, 1), (sessions.IDLE_S - 1, 4)])
async def test_a_session_ends_when_it_is_idle_and_after_a_day(
    records: Records, monkeypatch: pytest.MonkeyPatch, step_s: int, steps: int
) -> None:
    opened, begun = Sessions(records), microseconds()
    secret = await opened.open(BOSS, "d" * 64)
    for number in range(1, steps + 1):
        assert await opened.find(secret) is not None
        at = begun + number * step_s * SECOND
        monkeypatch.setattr(sessions, "microseconds", lambda at=at: at)
    assert await opened.find(secret) is None


async def test_an_address_that_guesses_has_to_wait_and_others_do_not(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed, begun = Attempts(records), microseconds()
    for _ in range(attempts.FREE):
        await failed.check("1.2.3.4")
        await failed.add("1.2.3.4")
    with pytest.raises(TooManyAttemptsError):
        await failed.check("1.2.3.4")
    await failed.check("5.6.7.8")
    monkeypatch.setattr(attempts, "microseconds", lambda: begun + (attempts.FIRST_WAIT_S + 1) * SECOND)
    await failed.check("1.2.3.4")


async def test_a_site_counts_as_one_address(records: Records) -> None:
    failed = Attempts(records)
    for number in range(attempts.FREE):
        await failed.add(f"2001:db8:1:2::{number}")
    with pytest.raises(TooManyAttemptsError):
        await failed.check("2001:db8:1:2:ffff::1")
    await failed.check("2001:db8:1:3::1")


def test_the_wait_doubles_up_to_a_quarter_of_an_hour() -> None:
    assert [wait_s(count) for count in (0, 4, 5, 6, 7, 9, 100)] == [0, 0, 60, 120, 240, 900, 900]


async def test_changes_are_listed_newest_first_by_tenant(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "PAGE", 2)
    kept = Changes(records)
    for number in range(3):
        await kept.add(Change("acme", "key boss", "key.create", str(number), 200, "1.2.3.4", "r"))
    await kept.add(Change("globex", "key other", "key.create", "x" * 2_000, 403, "1.2.3.4", "r"))
    page = await kept.of_tenant("acme")
    assert [each.change.subject for each in page] == ["2", "1"]
    assert [each.change.subject for each in await kept.of_tenant("acme", page[-1].id)] == ["0"]
    (other,) = await kept.of_tenant("globex")
    assert (other.change.outcome, len(other.change.subject)) == (403, 512)


async def test_how_a_change_ended_is_recorded_later_and_old_ones_leave(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Changes(records)
    change = await kept.add(Change("acme", "key boss", "file.upload", "/v1/files", 0, "1.2.3.4", "r"))
    await kept.end(change, 200, "a.txt (file-1)")
    (found,) = await kept.of_tenant("acme")
    assert (found.change.outcome, found.change.subject) == (200, "a.txt (file-1)")
    await kept.drop_old()
    assert len(await kept.of_tenant("acme")) == 1
    monkeypatch.setattr(changes, "KEPT_S", -1)
    await kept.drop_old()
    assert await kept.of_tenant("acme") == []


async def test_a_golden_set_is_its_tenants_and_goes_with_the_tenant(records: Records) -> None:
    kept = Ratings(records)
    first = await kept.add(RATING)
    assert [each.rating for each in await kept.of_tenant("acme")] == [RATING]
    assert await kept.of_tenant("globex") == []
    with pytest.raises(NotFoundError):
        await kept.remove("globex", first.id)
    await kept.keep_only(frozenset({"acme"}))
    assert len(await kept.of_tenant("acme")) == 1
    await kept.keep_only(frozenset({"globex"}))
    assert await kept.of_tenant("acme") == []


async def test_a_database_that_is_away_is_said(tmp_path: Path) -> None:
    records = await asyncio.to_thread(Records, f"sqlite:///{tmp_path}/missing/management.db")
    with pytest.raises(UnavailableError, match="try again"):
        await Changes(records).of_tenant("acme")
