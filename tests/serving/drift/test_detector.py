"""The detector with a clock that is moved by hand."""

import asyncio
from collections.abc import Iterable

import numpy as np
import pytest

from serving.drift.detector import Detector, Report
from serving.drift.errors import StateError
from serving.drift.settings import Settings
from serving.drift.signal import Samples
from serving.drift.store import Store
from serving.drift.verdict import State
from serving.drift.wire import ReceivedObservation
from tests.serving.drift.conftest import MakeSettings
from tests.serving.drift.traffic import Traffic, observations

DAY = 86_400.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


async def made(settings: Settings, clock: Clock, seed: int = 0) -> Detector:
    """A detector reads what it kept when it is made: files, and so off the loop."""
    rng = np.random.default_rng(seed)
    return await asyncio.to_thread(lambda: Detector(settings, Store(settings.state), clock=clock, rng=rng))


def sent(tenant: str, embeddings: Samples) -> Iterable[ReceivedObservation]:
    return [ReceivedObservation.model_validate(each) for each in observations(tenant, embeddings)]


def only(watching: Detector) -> Report:
    (report,) = watching.reports()
    return report


async def watching_acme(settings: Settings, clock: Clock, traffic: Traffic) -> Detector:
    """A detector with one tenant, whose reference is full."""
    watching = await made(settings, clock)
    await watching.register(["acme"])
    watching.observe(sent("acme", traffic.queries(settings.reference_size)))
    return watching


async def test_too_few_samples_are_insufficient_evidence(make_settings: MakeSettings) -> None:
    traffic = Traffic(seed=10)
    watching = await watching_acme(make_settings(), Clock(), traffic)
    watching.observe(sent("acme", traffic.queries(29, moved=1.0)))
    await watching.evaluate()
    assert only(watching).verdict.state is State.INSUFFICIENT_EVIDENCE
    assert only(watching).verdict.test is None
    assert (only(watching).samples, only(watching).reference_samples) == (29, 60)


@pytest.mark.parametrize(("moved", "state"), [(0.0, State.OK), (1.0, State.DRIFT)])
async def test_a_full_window_gets_a_verdict(make_settings: MakeSettings, moved: float, state: State) -> None:
    traffic, clock = Traffic(seed=11), Clock()
    watching = await watching_acme(make_settings(), clock, traffic)
    watching.observe(sent("acme", traffic.queries(30, moved=moved)))
    await watching.evaluate()
    assert only(watching).verdict.state is state
    assert only(watching).verdict.since == clock.now
    assert only(watching).samples == 0


async def test_tests_of_a_tenant_are_an_interval_apart(make_settings: MakeSettings) -> None:
    traffic, clock = Traffic(seed=12), Clock()
    watching = await watching_acme(make_settings(interval=DAY), clock, traffic)
    tested = []
    for _ in range(9):  # every 6 hours: three days
        watching.observe(sent("acme", traffic.queries(30)))
        await watching.evaluate()
        test = only(watching).verdict.test
        assert test is not None
        tested.append(test.at)
        clock.now += DAY / 4
    assert len(set(tested)) == 3
    assert min(np.diff(sorted(set(tested)))) >= DAY


async def test_no_embedding_is_tested_twice(make_settings: MakeSettings) -> None:
    traffic, clock = Traffic(seed=13), Clock()
    watching = await watching_acme(make_settings(interval=DAY), clock, traffic)
    watching.observe(sent("acme", traffic.queries(30, moved=1.0)))
    await watching.evaluate()
    clock.now += 2 * DAY
    watching.observe(sent("acme", traffic.queries(29)))
    await watching.evaluate()
    assert only(watching).verdict.since == clock.now - 2 * DAY  # 29 new ones are no evidence, the 30 old ones are gone
    watching.observe(sent("acme", traffic.queries(1)))
    await watching.evaluate()
    assert only(watching).verdict.state is State.OK


async def test_what_arrives_during_a_test_is_kept(make_settings: MakeSettings) -> None:
    traffic = Traffic(seed=14)
    watching = await watching_acme(make_settings(permutations=20_000), Clock(), traffic)
    watching.observe(sent("acme", traffic.queries(30)))
    running = asyncio.create_task(watching.evaluate())
    await asyncio.sleep(0)  # lets the test take its window
    assert only(watching).samples == 0
    watching.observe(sent("acme", traffic.queries(7)))
    assert not running.done()
    await running
    assert only(watching).samples == 7
    assert only(watching).verdict.state is State.OK


async def test_a_fleet_without_drift_stays_within_its_budget(make_settings: MakeSettings) -> None:
    months, tenants, false_alarms = 2, [f"tenant-{i}" for i in range(4)], 12.0
    settings = make_settings(
        false_alarms=false_alarms, interval=DAY, max_tenants=4, permutations=19, reference_size=40, window_size=20
    )
    traffic, clock = Traffic(seed=15), Clock()
    watching = await made(settings, clock, seed=15)
    await watching.register(tenants)
    for tenant in tenants:
        watching.observe(sent(tenant, traffic.queries(40)))
    alarms = 0
    for _ in range(30 * months):
        for tenant in tenants:
            watching.observe(sent(tenant, traffic.queries(20)))
        await watching.evaluate()
        alarms += sum(report.verdict.state is State.DRIFT for report in watching.reports())
        clock.now += DAY
    expected = false_alarms * months
    assert alarms <= expected + 2.6 * expected**0.5
    assert alarms > 0  # the budget is spent on power, not saved


async def test_a_restart_keeps_the_reference_and_the_verdict(make_settings: MakeSettings) -> None:
    traffic, clock, settings = Traffic(seed=16), Clock(), make_settings()
    before = await watching_acme(settings, clock, traffic)
    await before.evaluate()
    before.observe(sent("acme", traffic.queries(30, moved=1.0)))
    await before.evaluate()
    clock.now += DAY
    after = await made(settings, clock)
    assert only(after) == only(before)
    after.observe(sent("acme", traffic.queries(30, moved=1.0)))
    await after.evaluate()
    assert only(after).verdict.state is State.DRIFT  # a reference that was learnt anew would see none
    assert only(after).verdict.since == clock.now - DAY


async def test_a_crash_keeps_a_full_reference(make_settings: MakeSettings) -> None:
    settings, clock = make_settings(), Clock()
    before = await watching_acme(settings, clock, Traffic(seed=17))
    await before.evaluate()
    assert only(await made(settings, clock)).reference_samples == 60


async def test_a_stop_keeps_what_is_not_full(make_settings: MakeSettings) -> None:
    traffic, settings, clock = Traffic(seed=18), make_settings(), Clock()
    before = await watching_acme(settings, clock, traffic)
    before.observe(sent("acme", traffic.queries(5)))
    await before.close()
    assert only(await made(settings, clock)).samples == 5


async def test_a_removed_tenant_leaves_nothing(make_settings: MakeSettings) -> None:
    traffic, settings, clock = Traffic(seed=19), make_settings(), Clock()
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


async def test_a_tenant_removed_during_its_test_stays_removed(make_settings: MakeSettings) -> None:
    traffic, settings = Traffic(seed=20), make_settings(permutations=20_000)
    watching = await watching_acme(settings, Clock(), traffic)
    watching.observe(sent("acme", traffic.queries(30)))
    running = asyncio.create_task(watching.evaluate())
    await asyncio.sleep(0)  # lets the test take its window
    assert only(watching).samples == 0
    await watching.register([])
    await running
    assert watching.reports() == []
    assert list(settings.state.iterdir()) == []


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
    assert {report.tenant: report.reference_samples for report in after.reports()} == {"acme": 60, "globex": 0}
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
    assert only(restored).reference_samples == 60
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
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object, **__: object) -> None:
        monkeypatch.undo()
        raise FloatingPointError("no variance")

    traffic = Traffic(seed=25)
    watching = await watching_acme(make_settings(), Clock(), traffic)
    await watching.register(["acme", "globex"])
    watching.observe(sent("globex", traffic.queries(60)))
    for tenant in ("acme", "globex"):
        watching.observe(sent(tenant, traffic.queries(30)))
    monkeypatch.setattr("serving.drift.signals.query_embedding.mmd_test", fails)
    await watching.evaluate()
    assert {report.tenant: report.verdict.test is not None for report in watching.reports()} == {
        "acme": False,
        "globex": True,
    }
    assert "the evaluation of tenant acme has failed" in caplog.text
    watching.observe(sent("acme", traffic.queries(30)))
    await watching.evaluate()
    assert all(report.verdict.state is State.OK for report in watching.reports())


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
