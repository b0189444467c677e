"""A FineTune → its job (pure)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract.adapter import ActiveVersion
from contract.base_model import BaseModel, Resources
from contract.fine_tune import FineTune, FineTuneSpec
from contract.job import DATA, QUESTIONS, START
from operators.desired.job import Job

GPU = "nvidia.com/gpu"


@dataclass(frozen=True, kw_only=True)
class TrainingJob(Job):
    """`base` is the base model's source, `start` the source of an adapter to go on from."""

    base: str
    spec: FineTuneSpec
    most_rank: int
    start: str | None = None

    @property
    def asks(self) -> bool:
        return self.spec.teacher is not None

    @property
    def data_file(self) -> str:
        return QUESTIONS if self.spec.teacher else DATA

    @property
    def versions(self) -> str:
        """The folder of the tenant's trained adapters, below the one of all jobs."""
        return f"{self.tenant}/versions"

    def fetch_arguments(self, root: str) -> tuple[str, ...]:
        adapter = ("--adapter", self.start, f"{root}/{self.folder}/{START}") if self.start else ()
        return (*super().fetch_arguments(root), *adapter)

    def teaching_arguments(self, root: str, gateway: str) -> tuple[str, ...]:
        """Of `python -m operators.evaluation.teaching`, before the trainer's command; empty without a teacher."""
        if self.spec.teacher is None:
            return ()
        teacher = self.spec.teacher.model_dump_json(by_alias=True)
        return ("--folder", f"{root}/{self.folder}", "--url", gateway, "--teacher", teacher, "--")

    def arguments(self, root: str, base: str) -> tuple[str, ...]:
        """Of `python -m tuning.trainer.job`. `base` is the base model's folder, or its name on the hub."""
        tries = {"search": self.spec.search, "augmentation": self.spec.augmentation}
        tried = [word for name, value in tries.items() if value for word in (f"--{name}", value.model_dump_json())]
        return ("--folder", f"{root}/{self.folder}", "--versions", f"{root}/{self.versions}", "--base", base,
                "--recipe", json.dumps(recipe(self.spec)), "--most-rank", str(self.most_rank), *tried)  # fmt: skip


def training_job(
    tune: FineTune,
    base: BaseModel,
    tenant: str,
    *,
    start: ActiveVersion | None,
    credentials: Mapping[str, Mapping[str, str]],
    token: str = "",
) -> TrainingJob:
    """`credentials` are by input: data and adapter. `token` is for the teacher and uploaded data."""
    return TrainingJob(
        key=tune.key,
        run=tune.spec.run,
        tenant=tenant,
        data=tune.spec.data,
        credentials=json.dumps(credentials) if any(credentials.values()) else "",
        token=token,
        base=base.spec.source,
        spec=tune.spec,
        most_rank=base.spec.lora.max_rank,
        start=start.source if start else None,
    )


def recipe(spec: FineTuneSpec) -> Mapping[str, Any]:
    """The fields of `tuning.recipe.Recipe`."""
    given = spec.hyperparameters
    return {
        "method": spec.method.lower(),
        "rank": given.rank,
        "alpha": given.alpha,
        "rate": given.learning_rate,
        "epochs": given.epochs,
        "batch": given.batch_size,
        "max_length": given.max_length,
        "patience": given.patience,
        "targets": given.targets,
        "seed": given.seed,
    }


def gpus(resources: Resources) -> int:
    """The GPUs of a training; at least 1, since a training without one counts as much."""
    count = resources.limits.get(GPU, "1")
    return max(1, int(count)) if count.isdecimal() else 1
