"""A job's report → the status of a FineTune (pure)."""

from collections.abc import Mapping
from typing import Any

from contract import conditions as c
from contract.adapter import short
from contract.conditions import Condition, condition
from contract.fine_tune import FineTune, FineTuneStatus, Result, Training
from contract.job import Line
from operators.reconcile.job_report import JobReport, not_begun


def next_status(
    tune: FineTune, *, tenant: str, verdict: Condition, obstacle: Condition | None, report: JobReport | None, now: str
) -> FineTuneStatus:
    """`obstacle` is why an accepted training does not run. Without a report, the last progress stands."""
    before = tune.status.training
    training = before if before and before.run == tune.spec.run else Training(run=tune.spec.run)
    result = tune.status.result
    if report:
        training = _progress(training, report, now)
        result = _result(tune, report, tenant) or result
    ready = _ready(tune, verdict, obstacle, report, training, result)
    merged = c.merged(tune.status.conditions, (verdict, ready), generation=tune.metadata.generation, now=now)
    return FineTuneStatus(training=training, result=result, made=tune.status.made, conditions=merged)


def _progress(training: Training, report: JobReport, now: str) -> Training:
    if report.state == "Waiting":
        return training
    fields = {name: value for line in report.lines for name, value in _fields(line).items()}
    ended = (training.ended or now) if report.state in ("Done", "Failed") else ""
    left = {"seconds_left": 0} if report.state == "Done" else {}
    return training.model_copy(update={"began": training.began or now, "ended": ended, **fields, **left})


def _fields(line: Line) -> Mapping[str, Any]:
    """The fields of Training in a line of the trainer."""
    names = {"step": "step", "loss": "loss", "eval_loss": "held_out_loss"}
    rounded = {"ran_s": "seconds", "left_s": "seconds_left", "tokens_s": "tokens_per_second"}
    fields = {field: line[name] for name, field in names.items() if name in line}
    fields |= {field: round(line[name]) for name, field in rounded.items() if line.get(name) is not None}
    if "step" in line:
        fields["steps"] = line["of"]
    if "answers" in line:
        fields |= {"answers": line["answers"], "questions": line["of"]}
    if "trial" in line:
        fields["trial"] = f"{line['trial']} of {line['of']}: {line['recipe']}: {_outcome(line)}"
    if "which" in line:
        fields["trial"] = f"{line['which']} other wordings"
    return fields


def _outcome(line: Line) -> str:
    loss = line.get("held_out_loss")
    return str(line["state"]) if loss is None else f"held-out loss {loss:.3f}"


def _result(tune: FineTune, report: JobReport, tenant: str) -> Result | None:
    if report.state != "Done":
        return None
    source = f"{report.place}/{tenant}/versions/{report.result['digest']}"
    return Result(run=tune.spec.run, source=source, **report.result)


def _ready(
    tune: FineTune,
    verdict: Condition,
    obstacle: Condition | None,
    report: JobReport | None,
    training: Training,
    result: Result | None,
) -> Condition:
    if not verdict.holds:
        return condition(c.READY, False, verdict.reason, verdict.message)
    if result and result.run == tune.spec.run:
        return condition(c.READY, True, c.TRAINED, _trained(result))
    if waiting := not_begun(obstacle, report):
        return waiting
    if report and report.state == "Failed":
        return condition(c.READY, False, c.TRAINING_FAILED, report.message)
    return condition(c.READY, False, c.TRAINING, _doing(training))


def _trained(result: Result) -> str:
    loss = "" if result.held_out_loss is None else f", held-out loss {result.held_out_loss:.3f}"
    return f"version {short(result.digest)} after {result.steps} steps on {result.rows} rows{loss}"


def _doing(training: Training) -> str:
    if training.trial and not training.steps:
        return f"trial {training.trial}"
    if not training.steps and training.answers < training.questions:
        return f"{training.answers} of {training.questions} answers of its teacher"
    if not training.steps:
        return "its inputs are fetched and read"
    left = f", about {max(1, round(training.seconds_left / 60))} min left" if training.seconds_left else ""
    loss = f", held-out loss {training.held_out_loss:.3f}" if training.held_out_loss is not None else ""
    return f"step {training.step} of {training.steps}{loss}{left}"
