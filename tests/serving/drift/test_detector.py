"""The detector with a clock that is moved by hand."""

import asyncio
from collections.abc import Iterable

import pytest

from serving.drift.detector import Detector, Report
from serving.drift.errors import StateError
from serving.drift.settings import Settings
from serving.drift.statistics.features import WIDTH
from serving.drift.store import Store
from serving.drift.verdict import State
from serving.drift.wire import ReceivedObservation
from tests.serving.drift.conftest import MakeSettings
from tests.serving.drift.traffic import Samples, Traffic, observations

HOUR = 3_600.0
WEEKS = 28 * 24  # hours of a whole reference
A_HOUR = 3
WINDOW = 100


class Clock:
    def __init__(self) -> None:
        self.now = 1_699_999_200.0  # the beginning of an hour

    def __call__(self) -> float:
        return self.now


async def made(settings: Settings, clock: Clock) -> Detector:
    """A detector reads what it kept when it is made: files, and so off the loop."""
    return await asyncio.to_thread(lambda: Detector(settings, Store(settings.state), clock=clock))


def sent(tenant: str, embeddings: Samples) -> Iterable[ReceivedObservation]:
    return [ReceivedObservation.model_validate(each) for each in observations(tenant, embeddings)]


def only(watching: Detector) -> Report:
    """The one of single windows."""
    (report,) = (report for report in watching.reports() if report.signal == "query_embedding")
    return report


def hours(watching: Detector, clock: Clock, traffic: Traffic, count: int, *tenants: str, moved: float = 0.0) -> None:
    for _ in range(count):
        for tenant in tenants or ("acme",):
            watching.observe(sent(tenant, traffic.queries(A_HOUR, moved=moved)))
        clock.now += HOUR


async def watching_acme(settings: Settings, clock: Clock, traffic: Traffic, count: int = WEEKS) -> Detector:
    """A detector with one tenant, whose reference has so many hours."""
    watching = await made(settings, clock)
    await watching.register(["acme"])
    hours(watching, clock, traffic, count)
    await watching.evaluate()
    return watching


@pytest.fixture
def small(make_settings: MakeSettings) -> Settings:
    return make_settings(window_units=WINDOW)


async def test_without_a_week_there_is_insufficient_evidence(small: Settings) -> None:
    watching = await watching_acme(small, Clock(), Traffic(seed=10), 7 * 24 - 1)
    assert only(watching).verdict.state is State.INSUFFICIENT_EVIDENCE
    assert only(watching).verdict.test is None
    assert (only(watching).samples, only(watching).reference_samples) == (0, A_HOUR * (7 * 24 - 1))


async def test_with_a_week_the_reference_is_provisional(small: Settings) -> None:
    clock, traffic = Clock(), Traffic(seed=10)
    watching = await watching_acme(small, clock, traffic, 7 * 24)
    assert only(watching).is_provisional
    hours(watching, clock, traffic, 34, moved=1.0)
    await watching.evaluate()
    assert only(watching).verdict.state is State.DRIFT


async def test_too_few_samples_of_a_window_are_no_evidence(small: Settings) -> None:
    clock, traffic = Clock(), Traffic(seed=11)
    watching = await watching_acme(small, clock, traffic)
    hours(watching, clock, traffic, 33, moved=1.0)
    await watching.evaluate()
    assert only(watching).verdict.test is None
    assert only(watching).samples == 33 * A_HOUR


@pytest.mark.parametrize(("moved", "state"), [(0.0, State.OK), (1.0, State.DRIFT)])
async def test_a_full_window_gets_a_verdict(small: Settings, moved: float, state: State) -> None:
    traffic, clock = Traffic(seed=12), Clock()
    watching = await watching_acme(small, clock, traffic)
    hours(watching, clock, traffic, 34, moved=moved)
    await watching.evaluate()
    assert only(watching).verdict.state is state
    assert only(watching).verdict.since == clock.now
    assert only(watching).samples == 0
    assert not only(watching).is_provisional


async def test_no_sample_is_tested_twice(small: Settings) -> None:
    traffic, clock = Traffic(seed=13), Clock()
    watching = await watching_acme(small, clock, traffic)
    hours(watching, clock, traffic, 34, moved=1.0)
    await watching.evaluate()
    first = only(watching).verdict.test
    hours(watching, clock, traffic, 33)
    await watching.evaluate()
    assert only(watching).verdict.test == first


async def test_repeats_within_an_hour_count_once(small: Settings) -> None:
    traffic, clock = Traffic(seed=14), Clock()
    watching = await made(small, clock)
    await watching.register(["acme", "globex"])
    question = traffic.queries(1)
    for tenant in ("acme", "acme", "globex"):
        watching.observe(sent(tenant, question))
    assert {report.reference_samples for report in watching.reports()} == {1}
    clock.now += HOUR
    watching.observe(sent("acme", question))
    assert {report.tenant: report.reference_samples for report in watching.reports()} == {"acme": 2, "globex": 1}


async def test_what_arrives_during_a_test_is_kept(small: Settings) -> None:
    traffic, clock = Traffic(seed=14), Clock()
    watching = await watching_acme(small, clock, traffic)
    hours(watching, clock, traffic, 34)
    running = asyncio.create_task(watching.evaluate())
    await asyncio.sleep(0)  # lets the test take its window
    watching.observe(sent("acme", traffic.queries(7)))
    assert not running.done()
    await running
    assert only(watching).samples == 7
    assert only(watching).verdict.state is State.OK


async def test_a_rebase_begins_a_new_reference(small: Settings) -> None:
    traffic, clock = Traffic(seed=15), Clock()
    watching = await watching_acme(small, clock, traffic)
    hours(watching, clock, traffic, 34, moved=1.0)
    await watching.evaluate()
    assert await watching.rebase("acme")
    assert not await watching.rebase("globex")
    assert only(watching).verdict.state is State.INSUFFICIENT_EVIDENCE
    hours(watching, clock, traffic, 8 * 24, moved=1.0)
    await watching.evaluate()
    hours(watching, clock, traffic, 34, moved=1.0)
    await watching.evaluate()
    assert only(watching).verdict.state is State.OK


async def test_another_text_of_the_tenant_begins_a_new_reference_once(small: Settings) -> None:
    traffic, clock = Traffic(seed=21), Clock()
    watching = await watching_acme(small, clock, traffic)
    gathered = only(watching).reference_samples
    why = "kim, 2026-11-30: a new product line"
    await watching.register(["acme"], {"acme": why})
    assert (only(watching).reference, only(watching).verdict.state) == (why, State.INSUFFICIENT_EVIDENCE)
    assert only(watching).reference_samples < gathered
    hours(watching, clock, traffic, 8 * 24)
    await watching.evaluate()
    begun = only(watching).reference_samples
    for detector in (watching, await made(small, clock)):
        await detector.register(["acme"], {"acme": why})
        assert (only(detector).reference, only(detector).reference_samples) == (why, begun)


async def test_a_new_tenant_with_a_text_begins_with_it(small: Settings) -> None:
    watching = await made(small, Clock())
    await watching.register(["globex"], {"globex": "the first one"})
    assert {report.reference for report in watching.reports()} == {"the first one"}


async def test_a_restart_keeps_the_reference_and_the_verdict(small: Settings) -> None:
    traffic, clock = Traffic(seed=16), Clock()
    before = await watching_acme(small, clock, traffic)
    hours(before, clock, traffic, 34, moved=1.0)
    await before.evaluate()
    after = await made(small, clock)
    assert only(after) == only(before)
    since = only(before).verdict.since
    hours(after, clock, traffic, 34, moved=1.0)
    await after.evaluate()
    assert only(after).verdict.state is State.DRIFT  # a reference that was learnt anew would see none
    assert only(after).verdict.since == since


async def test_a_crash_keeps_a_reference(small: Settings) -> None:
    clock = Clock()
    before = await watching_acme(small, clock, Traffic(seed=17))
    assert only(await made(small, clock)).reference_samples == only(before).reference_samples == A_HOUR * WEEKS


async def test_a_crash_loses_an_hour_at_most(small: Settings) -> None:
    traffic, clock = Traffic(seed=17), Clock()
    before = await watching_acme(small, clock, traffic, 5)
    before.observe(sent("acme", traffic.queries(4)))
    await before.evaluate()
    assert only(await made(small, clock)).reference_samples == 5 * A_HOUR


async def test_a_stop_keeps_what_is_not_full(small: Settings) -> None:
    traffic, clock = Traffic(seed=18), Clock()
    before = await watching_acme(small, clock, traffic)
    before.observe(sent("acme", traffic.queries(5)))
    await before.close()
    assert only(await made(small, clock)).samples == 5


async def test_a_removed_tenant_leaves_nothing(small: Settings) -> None:
    traffic, settings, clock = Traffic(seed=19), small, Clock()
    watching = await watching_acme(settings, clock, traffic)
    await watching.evaluate()
    await watching.register(["globex"])
    await watching.evaluate()
    await watching.close()
    assert [path.name for path in settings.state.iterdir()] == ["globex.npz"]
    assert only(watching).tenant == "globex"
    assert watching.observe(sent("acme", traffic.queries(3))).refused == 3
    await watching.register(["acme"])
    assert only(watching).reference_samples == 0


async def test_a_tenant_removed_during_its_test_stays_removed(small: Settings) -> None:
    traffic, clock = Traffic(seed=20), Clock()
    watching = await watching_acme(small, clock, traffic)
    hours(watching, clock, traffic, 34)
    running = asyncio.create_task(watching.evaluate())
    await asyncio.sleep(0)  # lets the test take its window
    assert not running.done()
    await watching.register([])
    await running
    assert watching.reports() == []
    assert list(small.state.iterdir()) == []


async def test_one_damaged_file_stops_no_other_tenant(
    make_settings: MakeSettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings, clock = make_settings(), Clock()
    before = await watching_acme(settings, clock, Traffic(seed=21))
    await before.register(["acme", "globex"])
    await before.close()
    damaged = settings.state / "globex.npz"
    damaged.write_bytes(damaged.read_bytes()[:100])
    after = await made(settings, clock)
    assert {report.tenant: report.reference_samples for report in after.reports()} == {
        "acme": A_HOUR * WEEKS,
        "globex": 0,
    }
    assert f"the state of tenant globex in {damaged} cannot be read" in caplog.text


async def test_a_damaged_file_is_kept_and_can_be_restored_as_the_message_says(
    make_settings: MakeSettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings, clock = make_settings(), Clock()
    await (await watching_acme(settings, clock, Traffic(seed=22))).close()
    path, aside = settings.state / "acme.npz", settings.state / "acme.npz.damaged"
    copy = path.read_bytes()
    path.write_bytes(copy[:100])
    afresh = await made(settings, clock)
    assert f"is kept as {aside}; stop the process, put a good copy at {path} and start" in caplog.text
    await afresh.evaluate()
    await afresh.close()
    assert aside.read_bytes() == copy[:100]
    path.write_bytes(copy)
    restored = await made(settings, clock)
    assert only(restored).reference_samples == A_HOUR * WEEKS
    await restored.close()
    assert path.read_bytes() == copy


async def test_a_tenant_whose_file_was_damaged_stays_watched_after_a_crash(make_settings: MakeSettings) -> None:
    settings, clock = make_settings(), Clock()
    await (await watching_acme(settings, clock, Traffic(seed=23))).close()
    (settings.state / "acme.npz").write_bytes(b"damage")
    await made(settings, clock)  # ends at once, with nothing saved
    after = await made(settings, clock)
    assert only(after).tenant == "acme"
    await after.evaluate()
    assert only(await made(settings, clock)).tenant == "acme"
    assert (settings.state / "acme.npz").exists()


async def test_a_removed_tenant_leaves_no_damaged_file(make_settings: MakeSettings) -> None:
    settings, clock = make_settings(), Clock()
    await (await watching_acme(settings, clock, Traffic(seed=24))).close()
    (settings.state / "acme.npz").write_bytes(b"damage")
    watching = await made(settings, clock)
    await watching.register([])
    await watching.evaluate()
    await watching.close()
    assert list(settings.state.iterdir()) == []


async def test_a_failure_of_one_tenant_stops_no_other(
    small: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        monkeypatch.undo()
        raise FloatingPointError("no variance")

    traffic, clock = Traffic(seed=25), Clock()
    watching = await made(small, clock)
    await watching.register(["acme", "globex"])
    hours(watching, clock, traffic, WEEKS, "acme", "globex")
    await watching.evaluate()
    hours(watching, clock, traffic, 34, "acme", "globex")
    monkeypatch.setattr("serving.drift.fleet.Fleet.judge", fails)
    await watching.evaluate()
    assert {report.tenant for report in watching.reports() if report.verdict.test} == {"globex"}
    assert "the evaluation of tenant acme has failed" in caplog.text
    await watching.evaluate()
    assert {report.tenant for report in watching.reports() if report.verdict.state is State.OK} == {"acme", "globex"}


async def test_what_a_crash_left_unfinished_is_removed(make_settings: MakeSettings) -> None:
    settings = make_settings()
    settings.state.mkdir()
    (settings.state / "acme.unfinished").write_bytes(b"half")
    assert (await made(settings, Clock())).reports() == []
    assert list(settings.state.iterdir()) == []


async def test_a_directory_that_cannot_be_written_is_named(make_settings: MakeSettings) -> None:
    settings = make_settings()
    watching = await made(settings, Clock())
    settings.state.rmdir()
    with pytest.raises(StateError, match="the state of tenant acme cannot be written"):
        await watching.register(["acme"])
    settings.state.mkdir()
    await watching.register(["acme"])
    assert (settings.state / "acme.npz").exists()


def changed(tenant: str, embeddings: Samples, **changes: str) -> list[ReceivedObservation]:
    return [ReceivedObservation.model_validate(each | changes) for each in observations(tenant, embeddings)]


@pytest.mark.parametrize(
    ("changes", "signal", "other", "text"),
    [
        ({"version": "acme.support-2"}, "answer_outcome", "query_embedding", "support changed from acme.support-1 to"),
        ({"embedder": "e5"}, "query_embedding", "answer_outcome", "embedder changed from minilm to e5"),
    ],
)
async def test_another_version_or_embedder_begins_new_references_of_its_signals_alone(
    small: Settings, changes: dict[str, str], signal: str, other: str, text: str
) -> None:
    traffic, clock = Traffic(seed=21), Clock()
    watching = await watching_acme(small, clock, traffic)
    watching.observe([*sent("acme", traffic.queries(2)), *changed("acme", traffic.queries(3), **changes)])
    by_signal = {report.signal: report for report in watching.reports()}
    assert by_signal[signal].reference_samples == 3
    assert by_signal[signal].change.startswith(text)
    assert by_signal[signal].verdict.state is State.INSUFFICIENT_EVIDENCE
    assert by_signal[other].reference_samples == WEEKS * A_HOUR
    assert by_signal[other].change == ""
    await watching.close()
    again = {report.signal: report for report in (await made(small, clock)).reports()}
    assert again[signal] == by_signal[signal]


async def test_an_observation_without_its_version_changes_nothing(small: Settings) -> None:
    traffic, clock = Traffic(seed=22), Clock()
    watching = await watching_acme(small, clock, traffic)
    watching.observe(changed("acme", traffic.queries(3), version="", embedder=""))
    assert {report.change for report in watching.reports()} == {""}


def _forget_others(settings: Settings) -> None:
    store = Store(settings.state)
    store.save("acme", store.load("acme", {"query_embedding": WIDTH}))


async def test_a_signal_that_the_file_does_not_have_takes_no_reference_from_others(small: Settings) -> None:
    """As after an upgrade to a release with another signal."""
    traffic, clock = Traffic(seed=23), Clock()
    watching = await watching_acme(small, clock, traffic)
    await watching.register(["acme"], {"acme": "kim: a new product line"})
    hours(watching, clock, traffic, 8 * 24)
    await watching.close()
    await asyncio.to_thread(_forget_others, small)
    again = await made(small, clock)
    await again.register(["acme"], {"acme": "kim: a new product line"})
    assert only(again).reference_samples == only(watching).reference_samples > 0
