"""The plan of an evaluation, from a YAML file: questions, a metric and variants."""

from itertools import combinations
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError, model_validator

from contract import evaluation as contract
from contract.evaluation import Metric
from contract.value import Value
from tuning.evaluation.question import Question


class PlanInvalidError(Exception):
    """The message has the file and its fault."""


class Variant(contract.Variant):
    """A variant with its requests."""

    def body(self, question: Question, max_tokens: int) -> dict[str, Any]:
        """Of a request for chat completions, without chance."""
        system = "\n\n".join(filter(None, (self.system, question.system)))
        messages = [{"role": "system", "content": system}] if system else []
        for example in self.examples:
            messages += [
                {"role": "user", "content": example.question},
                {"role": "assistant", "content": example.answer},
            ]
        messages += [{"role": message.role, "content": message.content} for message in question.history]
        messages.append({"role": "user", "content": question.text})
        body: dict[str, Any] = {"model": self.model, "messages": messages, "temperature": 0, "max_tokens": max_tokens}
        if self.knowledge_bases:
            body["retrieval"] = {"knowledge_bases": list(self.knowledge_bases)}
        elif self.grounded is not None:
            body["retrieval"] = {"grounded": self.grounded}
        return body


class Plan(Value):
    """`questions` is a file, beside this one unless absolute. The first variant is the base. Sentences of `abstentions`
    count as one, beside the platform's own."""

    questions: Path
    metric: Metric = "exact"
    judge: contract.Judge | None = None
    variants: tuple[Variant, ...] = Field(min_length=2, max_length=12)
    abstentions: tuple[str, ...] = ()
    max_tokens: int = Field(default=256, ge=1, le=4096)
    at_once: int = Field(default=4, ge=1, le=64)  # requests

    @property
    def models(self) -> frozenset[str]:
        return contract.asked_models(self.variants, self.judge)

    @model_validator(mode="after")
    def _differ(self) -> "Plan":
        contract.require_judge(self.metric, self.judge)
        for one, other in combinations(self.variants, 2):
            if one.name == other.name:
                raise ValueError(f"two variants have the name {one.name}")
            if one == other.model_copy(update={"name": one.name}):
                raise ValueError(f"{one.name} and {other.name} are the same variant")
        return self


def read(path: Path) -> Plan:
    """Raises PlanInvalidError and OSError."""
    try:
        plan = Plan.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PlanInvalidError(f"{path} is not YAML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise PlanInvalidError(f"{path}: {faults}") from error
    return plan.model_copy(update={"questions": path.parent / plan.questions})
