"""A job's report → the status of an Evaluation (pure)."""

from datetime import UTC, datetime, timedelta

from contract import conditions as c
from contract.conditions import Condition, condition
from contract.evaluation import HISTORY_LENGTH, Evaluation, EvaluationStatus, Outcome, Point
from operators.desired.job import folder_prefix
from operators.reconcile.job_report import JobReport, not_begun


def run_of(item: Evaluation, now: datetime) -> str:
    """The run that is due: the last one, until its time is over."""
    last, digest = item.status.run, item.spec.digest
    if not last.startswith(f"{digest}-"):
        return f"{digest}-1"
    due = seconds_left(item, now)
    if due is None or due > 0:
        return last
    return f"{digest}-{int(last.rpartition('-')[2]) + 1}"


def is_compared(item: Evaluation, run: str) -> bool:
    return item.status.result is not None and item.status.result.run == run


def seconds_left(item: Evaluation, now: datetime) -> float | None:
    """Until the next run of an evaluation that ended, with a result or without; None if there is no next one."""
    hours = item.spec.every_hours
    if hours is None or not item.status.ended:
        return None
    ended = datetime.fromisoformat(item.status.ended)
    return (ended.astimezone(UTC) + timedelta(hours=hours) - now).total_seconds()


def next_status(
    item: Evaluation,
    *,
    run: str,
    tenant: str,
    verdict: Condition,
    obstacle: Condition | None,
    report: JobReport | None,
    now: str,
) -> EvaluationStatus:
    """`obstacle` is why an accepted evaluation does not run."""
    before = item.status if item.status.run == run else EvaluationStatus(result=item.status.result)
    answers, total = _progress(before, report)
    result, history = before.result, item.status.history
    if report and report.state == "Done":
        result = Outcome(run=run, at=now, report=_folder(item, run, tenant, report.place), **report.result)
        history = (_point(result), *(history if _is_same(item, result) else ()))[:HISTORY_LENGTH]
    ready = _ready(verdict, obstacle, report, result, run, (answers, total))
    compared = _as_good(item, result) if verdict.holds and result else None
    new = (verdict, ready, compared) if compared else (verdict, ready)
    merged = c.merged(item.status.conditions, new, generation=item.metadata.generation, now=now)
    ended = "" if report and report.goes_on else before.ended or (now if report else "")
    return EvaluationStatus(
        run=run, ended=ended, answers=answers, total=total, result=result, history=history, conditions=merged
    )


def _as_good(item: Evaluation, result: Outcome) -> Condition | None:
    """Of the last result; None for a first run, and once another comparison is asked for."""
    if not result.first or not _is_of(item, result):
        return None
    if result.worse:
        return condition(c.AS_GOOD, False, c.WORSE, f"worse than in run {result.first}: {', '.join(result.worse)}")
    return condition(c.AS_GOOD, True, c.AS_BEFORE, f"no variant is worse than in run {result.first}")


def _folder(item: Evaluation, run: str, tenant: str, place: str) -> str:
    return f"{place}/{tenant}/runs/{folder_prefix(item.key)}{run}"


def _progress(before: EvaluationStatus, report: JobReport | None) -> tuple[int, int]:
    lines = [line for line in (report.lines if report else ()) if "answers" in line]
    return (int(lines[-1]["answers"]), int(lines[-1]["of"])) if lines else (before.answers, before.total)


def _is_same(item: Evaluation, result: Outcome) -> bool:
    """True if the last result is of the same comparison and the same questions."""
    last = item.status.result
    return last is not None and last.questions == result.questions and _is_of(item, last)


def _is_of(item: Evaluation, result: Outcome) -> bool:
    """True if the result is of the comparison in the spec."""
    return result.run.startswith(f"{item.spec.digest}-")


def _point(result: Outcome) -> Point:
    return Point(at=result.at, scores=tuple(f"{each.name} {each.score:.3f}" for each in result.variants))


def _ready(
    verdict: Condition,
    obstacle: Condition | None,
    report: JobReport | None,
    result: Outcome | None,
    run: str,
    progress: tuple[int, int],
) -> Condition:
    if not verdict.holds:
        return condition(c.READY, False, verdict.reason, verdict.message)
    if result and result.run == run:
        return condition(c.READY, True, c.COMPARED, result.conclusion)
    if waiting := not_begun(obstacle, report):
        return waiting
    if report and report.state == "Failed":
        return condition(c.READY, False, c.EVALUATION_FAILED, report.message)
    return condition(c.READY, False, c.ASKING, f"{progress[0]} of {progress[1]} answers")
