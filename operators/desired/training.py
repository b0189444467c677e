"""A FineTune → its job: what is fetched, and what is trained (pure)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from contract.adapter import ActiveVersion
from contract.base_model import BaseModel, Resources
from contract.fine_tune import FineTune, FineTuneSpec
from contract.resource import Key

GPU = "nvidia.com/gpu"
DATA, START, RESULT = "data.jsonl", "start", "result.json"


@dataclass(frozen=True)
class TrainingJob:
    """`base` is the base model's source, `start` the source of an adapter to go on from. `credentials` are for both
    sources, as `serving.agent.fetch` reads them; empty without any."""

    key: Key
    run: str
    tenant: str
    base: str
    spec: FineTuneSpec
    most_rank: int
    start: str | None = None
    credentials: str = field(default="", repr=False)

    @property
    def folder(self) -> str:
        """Its own folder, below that of all trainings. Names have no dot."""
        return f"{self.tenant}/runs/{self.key.name}.{self.run}"

    @property
    def versions(self) -> str:
        """The folder of the tenant's trained adapters, below that of all trainings."""
        return f"{self.tenant}/versions"

    def fetch_arguments(self, root: str) -> tuple[str, ...]:
        """Of `python -m serving.agent.fetch`. `root` is the folder of all trainings."""
        data, folder = self.spec.data, f"{root}/{self.folder}"
        pinned = ("--sha256", data.digest) if data.digest else ()
        adapter = ("--adapter", self.start, f"{folder}/{START}") if self.start else ()
        return ("--data", data.source, f"{folder}/{DATA}", *pinned, *adapter)

    def train_arguments(self, root: str, base: str) -> tuple[str, ...]:
        """Of `python -m tuning.trainer.job`. `base` is the base model's folder, or its name on the hub."""
        search = self.spec.search
        tried = ("--search", json.dumps({"trials": search.trials, "minutes": search.minutes})) if search else ()
        return ("--folder", f"{root}/{self.folder}", "--versions", f"{root}/{self.versions}", "--base", base,
                "--recipe", json.dumps(recipe(self.spec)), "--most-rank", str(self.most_rank), *tried)  # fmt: skip


def training_job(
    tune: FineTune,
    base: BaseModel,
    tenant: str,
    *,
    start: ActiveVersion | None,
    credentials: Mapping[str, Mapping[str, str]],
) -> TrainingJob:
    """`credentials` are by input: data and adapter."""
    return TrainingJob(
        key=tune.key,
        run=tune.spec.run,
        tenant=tenant,
        base=base.spec.source,
        spec=tune.spec,
        most_rank=base.spec.lora.max_rank,
        start=start.source if start else None,
        credentials=json.dumps(credentials) if any(credentials.values()) else "",
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
    """The GPUs that a training takes; at least 1, since a training without one counts as much."""
    return max(1, ceil(float(resources.limits.get(GPU, 0))))
