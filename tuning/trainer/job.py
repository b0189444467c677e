"""`python -m tuning.trainer.job`: a whole training from its folder, with or without a search, up to the version.

A killed job goes on from its folder to the same version. Exits with REFUSED if another try would fail as this
one. The last line, and the file of --result, have the result.
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import torch

from contract.fine_tune import Augmentation
from contract.job import DATA, QUESTIONS, REFUSED, RESULT, START, TEACHER
from tuning.augmentation import outcome
from tuning.base import ADAPTER_FILES, adapter_digest, located
from tuning.evaluation.run import ANSWERS
from tuning.recipe import Recipe
from tuning.rendering import BaseUnreadableError
from tuning.trainer.augment import RESULT as AUGMENT_RESULT
from tuning.trainer.augment import augment
from tuning.trainer.errors import TrainingError
from tuning.trainer.output import say, silence
from tuning.trainer.progress import Say
from tuning.trainer.run import LINEAGE, Order, train
from tuning.trainer.search import RESULT as SEARCH_RESULT
from tuning.trainer.search import Budget, Search

_WORK, _CLOCK = "work", "seconds"


@dataclass(frozen=True)
class Job:
    """`folder` has the inputs and all unfinished work; the adapter becomes a folder below `versions`."""

    folder: Path
    versions: Path
    base: str
    recipe: Recipe
    most_rank: int
    budget: Budget | None = None
    """Of a search for another recipe."""
    augmentation: Augmentation | None = None
    """Other wordings to try."""

    def done(self, say: Say) -> Mapping[str, Any]:
        """The result. Raises TrainingError, BaseUnreadableError and OSError."""
        file = self.folder / RESULT
        if not file.is_file():
            adapter, gained = self._made(say)
            result = {**self._result(adapter), **gained, **self._taught()}
            self._publish(adapter, result["digest"])
            _replace(file, json.dumps(result))
        self._clear()
        return dict(json.loads(file.read_text()))

    def _order(self) -> Order:
        start = self.folder / START
        data, work = self.folder / DATA, self.folder / _WORK
        return Order(data, located(self.base), work, self.recipe, start if start.is_dir() else None)

    def _made(self, say: Say) -> tuple[Path, Mapping[str, str]]:
        """The adapter, and the gain of trying more than one."""
        if self.budget:
            return self._searched(self.budget, say)
        if self.augmentation:
            return self._augmented(self.augmentation, say)
        return self._trained(say), {}

    def _trained(self, say: Say) -> Path:
        order = self._order()
        return order.out if (order.out / LINEAGE).is_file() else train(order, say)

    def _searched(self, budget: Budget, say: Say) -> tuple[Path, Mapping[str, str]]:
        order = self._order()
        if not (order.out / SEARCH_RESULT).is_file():
            Search(order, budget, self.most_rank, say).run()
        return order.out / "adapter", {"search": _gained(json.loads((order.out / SEARCH_RESULT).read_text()))}

    def _augmented(self, how: Augmentation, say: Say) -> tuple[Path, Mapping[str, str]]:
        order = self._order()
        if not (order.out / AUGMENT_RESULT).is_file():
            augment(order, how, say)
        return order.out / "adapter", {"augmentation": outcome(json.loads((order.out / AUGMENT_RESULT).read_text()))}

    def _taught(self) -> Mapping[str, str]:
        file = self.folder / TEACHER
        return {"teacher": file.read_text(encoding="utf-8")} if file.is_file() else {}

    def _result(self, adapter: Path) -> Mapping[str, Any]:
        lineage = json.loads((adapter / LINEAGE).read_text())
        return {
            "digest": adapter_digest(adapter),
            "data": lineage["data"]["sha256"],
            "base": lineage["base"]["sha256"],
            "start": lineage["start"]["sha256"] if lineage["start"] else None,
            "recipe": json.dumps(lineage["recipe"]),
            "code": ", ".join(f"{name} {number}" for name, number in lineage["versions"].items()),
            "rows": lineage["data"]["training"],
            "held_out_rows": lineage["data"]["held_out"],
            "steps": lineage["steps"],
            "held_out_loss": lineage["held_out_loss"],
        }

    def _publish(self, adapter: Path, digest: str) -> None:
        """A folder under its digest is complete."""
        target = self.versions / digest
        if target.is_dir():
            return
        staged = self.versions / f"{digest}.incoming"
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
        for name in (*ADAPTER_FILES, LINEAGE):
            shutil.copyfile(adapter / name, staged / name)
        staged.rename(target)

    def _clear(self) -> None:
        """The examples and checkpoints of a finished job are not needed any more."""
        for name in (DATA, QUESTIONS, ANSWERS):
            (self.folder / name).unlink(missing_ok=True)
        for name in (START, _WORK):
            shutil.rmtree(self.folder / name, ignore_errors=True)


def _gained(result: Mapping[str, Any]) -> str:
    if not result["is_better"]:
        return f"of {result['trials']} trials none was better than the given hyperparameters, which are kept"
    if (gain := result["gain"]) is None:
        return "the given hyperparameters could not be trained; the best trial is kept"
    size = f"{gain['low']:+.3f} to {gain['high']:+.3f} nats a token on rows that no trial saw"
    return f"the best of {result['trials']} trials is better than the given hyperparameters by {size}"


def _replace(file: Path, text: str) -> None:
    staged = file.with_name(f"{file.name}~")
    staged.write_text(text, encoding="utf-8")
    staged.replace(file)


def timed(folder: Path, say: Say) -> Say:
    """Adds the seconds of the job's run, also before it was killed."""
    file, begun = folder / _CLOCK, time.monotonic()
    before = float(file.read_text()) if file.is_file() else 0.0

    def timed_say(line: Mapping[str, Any]) -> None:
        seconds = before + time.monotonic() - begun
        _replace(file, str(seconds))
        say({**line, "ran_s": seconds})

    return timed_say


def main() -> int:
    job, result_file = _given()
    silence()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return _ended(lambda: _finished(job, result_file))


def _given() -> tuple[Job, Path | None]:
    parser = argparse.ArgumentParser(prog="python -m tuning.trainer.job", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--versions", type=Path, required=True)
    parser.add_argument("--base", required=True, help="a folder, or a name on the Hugging Face hub")
    parser.add_argument("--recipe", type=json.loads, required=True, help="the fields of a recipe, as JSON")
    parser.add_argument("--search", type=json.loads, help="trials and minutes, as JSON")
    parser.add_argument("--augmentation", type=Augmentation.model_validate_json, help="its fields, as JSON")
    parser.add_argument("--most-rank", type=int, required=True)
    parser.add_argument("--result", type=Path, help="a file for the result")
    given = parser.parse_args()
    return Job(
        folder=given.folder,
        versions=given.versions,
        base=given.base,
        recipe=Recipe(**given.recipe),
        most_rank=given.most_rank,
        budget=Budget(**given.search) if given.search else None,
        augmentation=given.augmentation,
    ), given.result


def _finished(job: Job, result_file: Path | None) -> None:
    told = timed(job.folder, say)
    result = job.done(told)
    told({"result": result})
    if result_file:
        result_file.write_text(json.dumps({"result": result}))


def _ended(work: Callable[[], None]) -> int:
    """The exit status. A full disk may pass; other faults come again."""
    try:
        work()
    except (TrainingError, BaseUnreadableError) as error:
        say({"error": str(error)})
        return REFUSED
    except torch.OutOfMemoryError:
        say({"error": "the GPU's memory is too small: take smaller batches, shorter rows, or a method with Q"})
        return REFUSED
    except OSError as error:
        say({"error": f"{error.filename or 'a file'} could not be read or written: {error.strerror or error}"})
        return 1
    except Exception as error:  # libraries have their own errors for a full disk
        say({"error": f"{type(error).__name__}: {error}"})
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
