"""FineTunes over the real controllers: what becomes of a training, and of the adapter that serves its result."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract import conditions as c
from contract.agent import DesiredAdapter
from contract.conditions import Condition
from contract.fine_tune import FineTune, FineTuneStatus, Training
from contract.objects import AnyObject, parse_object
from contract.resource import Key
from contract.tenant import MOST_USES, Tenant, TenantStatus, TrainingUse
from operators.controllers import fine_tune
from operators.local.directory import Contents, read
from operators.local.store import DirectoryStore
from operators.reconcile.job_report import JobReport
from operators.reconcile.training_limits import over_limit, uses
from tests.operators import objects
from tests.operators.controllers.loop import BEGIN, Loop

STYLE = Key(kind="FineTune", namespace="acme", name="style")
RESULT = {
    "digest": "a" * 64, "data": "b" * 64, "base": "c" * 64, "start": None, "recipe": "{}", "code": "quiver",
    "rows": 66, "held_out_rows": 9, "steps": 18, "held_out_loss": 1.25, "search": "",
}  # fmt: skip
SOURCE = f"/jobs/acme/versions/{'a' * 64}"
DONE = JobReport("Done", result=RESULT, place="/jobs")
LINE = {"step": 3, "of": 18, "eval_loss": 2.5, "left_s": 90.0, "tokens_s": 600.4, "ran_s": 61}
RUNNING = JobReport("Running", (LINE,))


@pytest.fixture
def loop() -> Loop:
    return Loop()


def _tune(loop: Loop, name: str = "style") -> FineTune:
    return next(tune for tune in loop.objects.fine_tunes if tune.name == name)


def _ready(loop: Loop, name: str = "style") -> Condition:
    ready = c.find(_tune(loop, name).status.conditions, c.READY)
    assert ready
    return ready


def _says(loop: Loop, *items: AnyObject, **tenant: Any) -> Loop:
    loop.files_say((objects.base_model(), objects.tenant("acme", **tenant), objects.tenant("globex"), *items))
    return loop.settle()


def _candidate(loop: Loop, adapter: str) -> DesiredAdapter | None:
    return next((item for item in loop.pushed.desired.adapters if item.adapter == adapter), None)


def test_a_teacher_is_asked_as_the_tenant_and_its_answers_are_counted(loop: Loop) -> None:
    loop.jobs.report = JobReport("Running", ({"answers": 12, "of": 60},))
    _says(loop, objects.fine_tune(teacher={"model": "base"}))
    assert loop.jobs.running[STYLE].token == "token of acme"
    assert _ready(loop).message == "12 of 60 answers of its teacher"


def test_a_training_waits_for_its_teacher_without_holding_the_turn(loop: Loop) -> None:
    _says(loop, objects.fine_tune(teacher={"model": "nobody"}))
    assert not loop.jobs.running
    assert _ready(loop).reason == c.WAITING
    assert "no model nobody answers for tenant acme" in _ready(loop).message


@pytest.mark.parametrize("source", ["file:///documents/globex/x.jsonl", "http://127.0.0.1/x.jsonl", "pvc://other/x.jsonl",
                                    "upload://vs_1", "https://example.com/../x.jsonl"])  # fmt: skip
def test_data_from_anywhere_else_is_refused(loop: Loop, source: str) -> None:
    _says(loop, objects.fine_tune(data={"source": source}))
    assert not loop.jobs.running
    assert (_ready(loop).reason, "name a file" in _ready(loop).message) == ("SourceNotOwn", True)


def test_a_teacher_may_have_a_served_name(loop: Loop) -> None:
    tune = objects.fine_tune(teacher={"model": "gpt-4"})
    loop.files_say((objects.base_model(servedNames=["gpt-4"]), objects.tenant("acme"), tune))
    loop.settle()
    assert loop.jobs.running[STYLE].token == "token of acme"


@pytest.mark.parametrize(("answers", "goes_on"), [(60, True), (12, False)])
def test_a_teacher_that_leaves_stops_only_its_lesson(loop: Loop, answers: int, goes_on: bool) -> None:
    tune = objects.fine_tune(teacher={"model": "old"})
    loop.jobs.report = JobReport("Running", ({"answers": answers, "of": 60},))
    _says(loop, objects.base_model("old"), tune)
    assert STYLE in loop.jobs.running
    _says(loop, tune)
    loop.time_passes(2)
    loop.settle()
    assert (STYLE in loop.jobs.running) is goes_on


def test_progress_is_in_the_status(loop: Loop) -> None:
    loop.jobs.report = RUNNING
    _says(loop, objects.fine_tune())
    training = _tune(loop).status.training
    assert training
    assert (training.step, training.steps, training.held_out_loss) == (3, 18, 2.5)
    assert (training.seconds_left, training.tokens_per_second, training.seconds) == (90, 600, 61)
    assert _ready(loop).reason == c.TRAINING
    assert "step 3 of 18" in _ready(loop).message


def test_a_result_is_kept_and_not_trained_again(loop: Loop) -> None:
    loop.jobs.report = DONE
    _says(loop, objects.fine_tune())
    status = _tune(loop).status
    assert status.result
    assert (status.result.digest, status.result.source) == ("a" * 64, SOURCE)
    assert _ready(loop).holds
    loop.jobs.running.clear()
    loop.jobs.report = JobReport("Failed", message="it was asked to train again")
    loop.events.enqueue_everything()
    loop.settle()
    assert not loop.jobs.running
    assert _ready(loop).holds


def test_an_adapter_waits_for_the_result_and_gets_it_pinned(loop: Loop) -> None:
    loop.jobs.report = RUNNING
    _says(loop, objects.fine_tune(), objects.adapter("styled", source="finetune://style"))
    assert _candidate(loop, "styled") is None
    loop.time_passes(1)
    loop.settle()
    fetched = c.find(loop.adapter("styled").status.conditions, c.FETCHED)
    assert fetched
    assert "FineTune style has no result yet" in fetched.message
    loop.jobs.report = DONE
    loop.time_passes(2)
    loop.settle()
    item = _candidate(loop, "styled")
    assert item
    assert (item.source, item.digest) == (SOURCE, "a" * 64)


def test_another_result_is_another_revision(loop: Loop) -> None:
    loop.jobs.report = DONE
    adapter = objects.adapter("styled", source="finetune://style")
    _says(loop, objects.fine_tune(), adapter)
    first = _candidate(loop, "styled")
    loop.jobs.report = JobReport("Done", result={**RESULT, "digest": "d" * 64}, place="/jobs")
    _says(loop, objects.fine_tune(hyperparameters={"rank": 4}), adapter)
    second = _candidate(loop, "styled")
    assert first
    assert second
    assert second.digest == "d" * 64
    assert first.revision != second.revision


def test_a_change_of_what_decides_the_result_is_another_training_and_others_are_not(loop: Loop) -> None:
    _says(loop, objects.fine_tune())
    run = loop.jobs.running[STYLE].run
    _says(loop, objects.fine_tune(adapter={"name": "styled"}, resources={"limits": {"nvidia.com/gpu": "1"}}))
    assert loop.jobs.running[STYLE].run == run
    _says(loop, objects.fine_tune(hyperparameters={"epochs": 4}))
    assert loop.jobs.running[STYLE].run != run


def test_a_stopped_training_has_no_job(loop: Loop) -> None:
    _says(loop, objects.fine_tune())
    assert STYLE in loop.jobs.running
    _says(loop, objects.fine_tune(stopped=True))
    assert STYLE not in loop.jobs.running
    assert _ready(loop).reason == c.STOPPED


def test_a_removed_object_has_no_job(loop: Loop) -> None:
    _says(loop, objects.fine_tune())
    _says(loop)
    assert not loop.jobs.running


def test_a_refused_object_has_no_job_and_says_why(loop: Loop) -> None:
    _says(loop, objects.fine_tune(hyperparameters={"rank": 64}))
    assert not loop.jobs.running
    assert _ready(loop).reason == c.RANK_TOO_HIGH
    _says(loop, objects.fine_tune(baseModel="other"))
    assert _ready(loop).reason == c.BASE_MODEL_MISSING


def test_two_new_trainings_do_not_both_begin_before_either_is_written(loop: Loop) -> None:
    """As where several objects are looked at together: no status says yet who is first."""
    tunes = [objects.fine_tune(name) for name in ("two", "one")]
    tenant = objects.tenant()
    assert isinstance(tenant, Tenant)
    assert all(isinstance(tune, FineTune) for tune in tunes)
    waiting = [tune.name for tune in tunes if over_limit(tune, tenant, tunes, loop.now)]  # type: ignore[arg-type]
    assert waiting == ["two"]


def test_a_failed_training_stays_failed_whoever_trains(loop: Loop) -> None:
    loop.jobs.report = JobReport("Failed", message="line 3: no answer")
    _says(loop, objects.fine_tune("one"))
    loop.jobs.report = RUNNING
    _says(loop, objects.fine_tune("one"), objects.fine_tune("two"))
    loop.jobs.report = JobReport("Failed", message="line 3: no answer")
    loop.events.enqueue([Key(kind="FineTune", namespace="acme", name="one")])
    loop.settle()
    assert _ready(loop, "one").reason == c.TRAINING_FAILED


def test_hours_are_of_the_month_in_which_they_were_trained(loop: Loop) -> None:
    loop.jobs.report = JobReport("Running", ({"step": 1, "of": 9, "ran_s": 3600.0},))
    _says(loop, objects.fine_tune("one"))
    loop.time_passes(31 * 86400)
    loop.settle()
    loop.jobs.report = JobReport("Running", ({"step": 2, "of": 9, "ran_s": 9000.0},))
    loop.time_passes(2)
    loop.settle()
    loop.time_passes(1)
    loop.settle()
    (tenant,) = (item for item in loop.objects.tenants if item.name == "acme")
    assert [(use.month, use.seconds) for use in tenant.status.training] == [("2026-01", 3600), ("2026-02", 5400)]


def test_many_trainings_are_folded_and_counted_once() -> None:
    done = tuple(TrainingUse(month="2026-01", run=f"gone.{number}.x", seconds=60) for number in range(MOST_USES))
    tenant = objects.tenant()
    assert isinstance(tenant, Tenant)
    tune = objects.fine_tune()
    assert isinstance(tune, FineTune)
    training = Training(run=tune.spec.run, began="2026-01-01T00:00:00Z", seconds=600)
    tune = tune.model_copy(update={"status": FineTuneStatus(training=training)})
    now = BEGIN
    for _ in range(3):
        tenant = tenant.model_copy(update={"status": TenantStatus(training=done)})
        done = uses(tenant, [tune], now)
        assert len(done) == MOST_USES
        assert sum(use.seconds for use in done) == MOST_USES * 60 + 600


def test_the_hours_of_a_training_that_begins_again_add_up(loop: Loop) -> None:
    loop.jobs.report = JobReport("Running", ({"step": 1, "of": 9, "ran_s": 3600.0},))
    for _ in range(2):
        _says(loop, objects.fine_tune("one"))
        loop.time_passes(1)
        loop.settle()
        _says(loop)
        loop.time_passes(60)
        loop.settle()
    (tenant,) = (item for item in loop.objects.tenants if item.name == "acme")
    assert sum(use.seconds for use in tenant.status.training) == 7200


def test_one_tenants_trainings_take_turns_and_do_not_wait_for_anothers(loop: Loop) -> None:
    loop.jobs.report = RUNNING
    _says(loop, objects.fine_tune("one"), objects.fine_tune("two"), objects.fine_tune("three", "globex"))
    assert sorted(key.name for key in loop.jobs.running) == ["one", "three"]
    assert _ready(loop, "two").reason == c.OVER_LIMIT
    loop.jobs.report = DONE
    loop.time_passes(10)
    loop.settle()
    loop.time_passes(10)
    loop.settle()
    assert _ready(loop, "two").holds


def test_the_hours_of_a_month_are_a_limit_and_those_of_deleted_objects_count(loop: Loop) -> None:
    loop.jobs.report = JobReport("Done", ({"step": 9, "of": 9, "ran_s": 3600.0},), RESULT, place="/jobs")
    limits = {"training": {"hoursAMonth": 0.5}}
    _says(loop, objects.fine_tune("one"), **limits)
    _says(loop, **limits)
    loop.time_passes(1)
    _says(loop, objects.fine_tune("two"), **limits)
    assert _ready(loop, "two").reason == c.OVER_LIMIT
    assert "1.0 of 0.5 hours in 2026-01" in _ready(loop, "two").message
    loop.time_passes(31 * 86400)
    loop.settle()
    loop.time_passes(1)
    loop.settle()
    assert _ready(loop, "two").holds


def test_a_failed_training_says_why(loop: Loop) -> None:
    loop.jobs.report = JobReport("Failed", message="line 3: no answer")
    _says(loop, objects.fine_tune())
    assert (_ready(loop).reason, _ready(loop).message) == (c.TRAINING_FAILED, "line 3: no answer")


def test_a_start_needs_a_version(loop: Loop) -> None:
    _says(loop, objects.fine_tune(start="support"))
    assert _ready(loop).reason == c.ADAPTER_MISSING
    _says(loop, objects.fine_tune(start="support"), objects.adapter())
    assert _ready(loop).reason == c.WAITING
    assert "no version with content yet" in _ready(loop).message


async def test_the_adapter_of_a_result_is_made_once_with_a_canary(loop: Loop, tmp_path: Path) -> None:
    loop.jobs.report = DONE
    loop.files_say((objects.base_model(), objects.tenant(), objects.fine_tune(adapter={"name": "styled"})))
    context = replace(loop.around, store=DirectoryStore(tmp_path, loop.events, {}))
    await fine_tune.reconcile(STYLE, context, loop.now)  # the result is written before anything is made of it
    await fine_tune.reconcile(STYLE, context, loop.now)
    (adapter,) = (await asyncio.to_thread(read, tmp_path, Contents())).objects.adapters
    assert (adapter.name, adapter.spec.source) == ("styled", "finetune://style")
    assert adapter.spec.rollout.canary
    (tmp_path / "adapter-acme.styled.yaml").unlink()
    await fine_tune.reconcile(STYLE, context, loop.now)
    assert not (tmp_path / "adapter-acme.styled.yaml").exists()


def test_full_fine_tuning_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match="takes a whole engine"):
        objects.fine_tune(method="Full")


def test_the_object_reads_what_it_writes() -> None:
    tune = objects.fine_tune(adapter={"name": "styled"}, search={"trials": 3})
    assert parse_object(tune.model_dump(mode="json", by_alias=True, exclude_none=True)) == tune
