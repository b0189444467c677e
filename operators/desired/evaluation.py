"""An Evaluation → its job (pure)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from contract.evaluation import Evaluation, EvaluationSpec
from operators.desired.job import Job


@dataclass(frozen=True, kw_only=True)
class EvaluationJob(Job):
    spec: EvaluationSpec

    @property
    def asks(self) -> bool:
        return True

    def arguments(self, root: str, gateway: str) -> tuple[str, ...]:
        """Of `python -m operators.evaluation`. `gateway` is its address."""
        plan = self.spec.model_dump_json(by_alias=True, exclude_none=True, include=set(PLAN))
        return ("--folder", f"{root}/{self.folder}", "--url", gateway, "--plan", plan)


# The fields of `tuning.evaluation.plan.Plan`, without the questions' file.
PLAN = ("metric", "judge", "variants", "abstentions", "max_tokens", "at_once")


def evaluation_job(
    item: Evaluation, run: str, tenant: str, *, token: str, credentials: Mapping[str, Mapping[str, str]]
) -> EvaluationJob:
    return EvaluationJob(
        key=item.key,
        run=run,
        tenant=tenant,
        data=item.spec.questions,
        credentials=json.dumps(credentials) if any(credentials.values()) else "",
        spec=item.spec,
        token=token,
    )
