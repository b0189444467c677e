"""Jobs of a local run. A script stands for the trainer, which cannot be made to end in each of these ways."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from contract.fine_tune import FineTune
from contract.job import REFUSED
from operators.controllers.cache import ClusterCache
from operators.controllers.events import Events
from operators.desired.training import TrainingJob
from operators.local.jobs import LocalJobs
from operators.local.layout import Layout
from operators.reconcile.job_report import JobReport
from service.backoff import Backoff
from tests.operators import objects

RESULT = {"digest": "a" * 64}
LIMIT_S = 300.0  # a hang, on a busy machine, too
# Counts its starts in the job's folder, and then does what the test wants.
SCRIPT = """#!/bin/sh
folder=$4
echo start >> "$folder/starts"
starts=$(wc -l < "$folder/starts")
{body}
"""


class Place:
    """LocalJobs over a folder, with a trainer that does `body`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tasks: list[asyncio.Task[None]] = []
        (root / ".quiver" / "logs").mkdir(parents=True)
        (root / "examples.jsonl").write_text("{}\n")
        environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[3])}
        layout = Layout(
            root=root, runtime=root, gateway_port=1, engine_python=root / "trainer", embedder={},
            environment=environment,
        )  # fmt: skip
        self.jobs = LocalJobs(layout, self._start, Events(ClusterCache(), lambda _: None, lambda *_: None))

    def _start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        self.tasks.append(asyncio.ensure_future(work))
        return self.tasks[-1]

    def trainer(self, body: str) -> None:
        (self.root / "trainer").write_text(SCRIPT.replace("{body}", body))
        (self.root / "trainer").chmod(0o755)

    def job(self, name: str = "style", **spec: Any) -> TrainingJob:
        tune = objects.fine_tune(name, data={"source": str(self.root / "examples.jsonl")}, **spec)
        assert isinstance(tune, FineTune)
        return TrainingJob(key=tune.key, run=tune.spec.run, tenant="acme", data=tune.spec.data, base="/base",
                           spec=tune.spec, most_rank=16)  # fmt: skip

    async def until(self, job: TrainingJob, holds: Callable[[JobReport], bool]) -> JobReport:
        async with asyncio.timeout(LIMIT_S):
            while not holds(report := await self.jobs.run(job)):  # noqa: ASYNC110  # another process ends
                await asyncio.sleep(0.02)
        return report

    def starts(self, job: TrainingJob) -> int:
        file = self.root / ".quiver" / "jobs" / job.folder / "starts"
        return len(file.read_text().splitlines()) if file.exists() else 0


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    monkeypatch.setattr("operators.local.jobs.RESTARTS", Backoff(first_s=0.01, last_s=0.01))
    found = Place(tmp_path)
    yield found
    for task in found.tasks:
        task.cancel()
    await asyncio.gather(*found.tasks, return_exceptions=True)


def _ended(report: JobReport) -> bool:
    return report.state in ("Done", "Failed")


async def test_a_job_that_a_signal_ends_is_tried_again(place: Place) -> None:
    done = json.dumps({"result": RESULT})
    place.trainer(f"[ $starts -eq 1 ] && kill -9 $$; echo '{done}'")
    report = await place.until(place.job(), _ended)
    assert (report.state, report.result) == ("Done", RESULT)
    assert place.starts(place.job()) == 2


async def test_a_job_that_always_ends_so_fails_with_the_cause(place: Place) -> None:
    place.trainer("kill -9 $$")
    report = await place.until(place.job(), _ended)
    assert report.state == "Failed"
    assert "SIGKILL" in report.message
    assert place.starts(place.job()) == 3


async def test_a_refusal_is_not_tried_again(place: Place) -> None:
    place.trainer(f"""echo '{{"error": "line 3: no answer"}}'; exit {REFUSED}""")
    report = await place.until(place.job(), _ended)
    assert (report.state, report.message) == ("Failed", "line 3: no answer")
    assert place.starts(place.job()) == 1


async def test_examples_that_are_not_there_are_refused_before_anything_is_trained(place: Place) -> None:
    place.trainer("exit 0")
    (place.root / "examples.jsonl").unlink()
    report = await place.until(place.job(), _ended)
    assert "examples.jsonl" in report.message
    assert place.starts(place.job()) == 0


async def test_jobs_take_turns_and_one_that_waits_can_be_stopped(place: Place) -> None:
    place.trainer("sleep 600")
    first, second, third = (place.job(name) for name in ("first", "second", "third"))
    await place.until(first, lambda report: place.starts(first) == 1)
    assert (await place.jobs.run(second)).state == "Waiting"
    assert (await place.jobs.run(third)).state == "Waiting"
    await place.jobs.stop(second.key)
    await place.jobs.stop(first.key)
    await place.until(third, lambda report: place.starts(third) == 1)
    assert place.starts(second) == 0


async def test_a_stopped_job_leaves_no_process_and_its_files(place: Place) -> None:
    place.trainer('echo $$ > "$folder/pid"; sleep 600 & wait')
    job = place.job()
    pid = place.root / ".quiver" / "jobs" / job.folder / "pid"
    await place.until(job, lambda report: pid.exists() and bool(pid.read_text().strip()))
    number = int(await asyncio.to_thread(pid.read_text))
    await place.jobs.stop(job.key)
    assert not Path(f"/proc/{number}").exists()
    assert place.starts(job) == 1
    await place.until(job, lambda report: place.starts(job) == 2)


async def test_a_removed_object_leaves_no_files(place: Place) -> None:
    place.trainer("sleep 600")
    job, other = place.job(), place.job("styled")
    await place.until(job, lambda report: place.starts(job) == 1)
    (place.root / ".quiver" / "jobs" / other.folder).mkdir(parents=True)
    await place.jobs.remove(job.key, "acme")
    runs = place.root / ".quiver" / "jobs" / "acme" / "runs"
    assert [path.name for path in await asyncio.to_thread(lambda: list(runs.iterdir()))] == [Path(other.folder).name]


async def test_another_training_of_the_object_takes_the_place_of_the_first(place: Place) -> None:
    place.trainer("sleep 600")
    first, second = place.job(), place.job(hyperparameters={"epochs": 9})
    await place.until(first, lambda report: place.starts(first) == 1)
    await place.until(second, lambda report: place.starts(second) == 1)
    assert place.starts(first) == 0
