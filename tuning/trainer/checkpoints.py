"""Checkpoints of a run, identified by its recipe and its inputs."""

import json
import shutil
from pathlib import Path

from tuning.trainer.errors import TrainingError

_RUN = "run.json"
_FOLDER = "checkpoints"
# The files of a checkpoint for an exact continuation; the last is written last.
_COMPLETE = ("adapter_model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json")


def require_own(out: Path, run_id: str) -> None:
    """Raises TrainingError if another run has begun there."""
    file = out / _RUN
    if file.is_file() and json.loads(file.read_text())["run"] != run_id:
        raise TrainingError(
            f"{out} has a run of other data, of another base or with another recipe: remove it, or name another folder"
        )


def claim(out: Path, run_id: str) -> None:
    """The run begins there. Raises TrainingError if another one has."""
    require_own(out, run_id)
    out.mkdir(parents=True, exist_ok=True)
    staged = out / f"{_RUN}~"
    staged.write_text(json.dumps({"run": run_id}))
    staged.replace(out / _RUN)


def folder(out: Path) -> Path:
    return out / _FOLDER


def last(out: Path) -> str | None:
    """The newest complete one: a kill may have come during the last write."""
    paths = sorted(folder(out).glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    return next((str(path) for path in reversed(paths) if _is_complete(path)), None)


def _is_complete(checkpoint: Path) -> bool:
    if not all((checkpoint / name).is_file() for name in _COMPLETE):
        return False
    try:
        json.loads((checkpoint / _COMPLETE[-1]).read_text())
    except ValueError:
        return False
    return True


def remove(out: Path) -> None:
    """Deletes the checkpoints of a finished run."""
    shutil.rmtree(folder(out), ignore_errors=True)
    (out / _RUN).unlink()
