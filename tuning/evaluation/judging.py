"""A judge reads each answer beside the accepted ones, and says whether it is right.

It reads each answer twice, the second time with the texts in the other order. A verdict changing with the order is the
judge's own noise (https://arxiv.org/abs/2306.05685).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from tuning.evaluation.plan import Plan, Variant
from tuning.evaluation.question import Question
from tuning.evaluation.run import Answers, Ask, Asking, Say, Turn, identity
from tuning.evaluation.scores import abstains

VERDICTS = "verdicts.jsonl"
READINGS = ("1", "2")
MAX_TOKENS = 8  # of a verdict: yes or no
AGREES = "It is right if it agrees with an accepted answer, in any wording, and adds nothing wrong."
_YES, _NO = re.compile(r"\W*(yes|예|네)\b", re.IGNORECASE), re.compile(r"\W*(no|아니(요|오)?)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Noise:
    """Of `judged` answers, the verdicts of `split` changed with the order; of `unreadable` ones no reading was yes or
    no."""

    judged: int
    split: int
    unreadable: int

    def __str__(self) -> str:
        return (
            f"the judge read {self.judged} answers in two orders: {self.split} verdicts changed with the order, and "
            f"{self.unreadable} were neither yes nor no"
        )


@dataclass(frozen=True)
class Verdicts:
    """`scores` are by variant and line of the question: 1 for yes, 0 for no or nothing readable, 0.5 for both."""

    scores: Mapping[tuple[str, int], float]
    noise: Noise


NOT_JUDGED = Verdicts({}, Noise(0, 0, 0))


async def judged(
    plan: Plan, questions: Sequence[Question], answers: Answers, place: str, ask: Ask, folder: Path, say: Say
) -> Verdicts:
    """Nothing without a judge. Raises OtherRunError, OSError, and the other errors of `ask`."""
    if plan.judge is None:
        return NOT_JUDGED
    turns = list(_turns(plan, plan.judge.model, questions, answers))
    run_id = identity([turns[0][1]] if turns else [], [question for *_, question in turns], MAX_TOKENS, place)
    given = await Asking(ask, MAX_TOKENS, plan.at_once, say).answers(turns, run_id, folder / VERDICTS)
    return verdicts_of({key: answer.text for key, answer in given.items()})


def verdicts_of(readings: Mapping[tuple[str, int], str]) -> Verdicts:
    """Of the judge's texts, by variant with the reading, and line of the question."""
    by_answer: dict[tuple[str, int], list[float]] = {}
    for (name, line), text in readings.items():
        readable = by_answer.setdefault((name.rpartition(" ")[0], line), [])
        readable += [verdict] if (verdict := _verdict(text)) is not None else []
    scores = {key: fmean(readable) if readable else 0.0 for key, readable in by_answer.items()}
    split = sum(len(set(readable)) > 1 for readable in by_answer.values())
    return Verdicts(scores, Noise(len(by_answer), split, sum(not readable for readable in by_answer.values())))


def _turns(plan: Plan, model: str, questions: Sequence[Question], answers: Answers) -> Iterator[Turn]:
    """Of answers to answerable questions: errors and abstentions are wrong without a judge."""
    judge = Variant(name="judge", model=model, grounded=False)
    criterion = (plan.judge and plan.judge.criterion) or AGREES
    for question in questions:
        for variant in plan.variants:
            answer = answers[variant.name, question.line]
            if question.is_answerable and not answer.error and not abstains(answer, plan.abstentions):
                for reading, text in zip(READINGS, _readings(question, answer.text, criterion), strict=True):
                    yield f"{variant.name} {reading}", judge, Question(question.line, text, (), "")


def _readings(question: Question, answer: str, criterion: str) -> tuple[str, str]:
    accepted = "Accepted answers:\n" + "\n".join(f"- {each}" for each in question.answers)
    given = f"Given answer:\n{answer}"
    asked = f"Question:\n{question.text}"
    task = f"Is the given answer right? {criterion} Reply with yes or no, and nothing else."
    one, other = ("\n\n".join((asked, *texts, task)) for texts in ((accepted, given), (given, accepted)))
    return one, other


def _verdict(text: str) -> float | None:
    if _YES.match(text):
        return 1.0
    return 0.0 if _NO.match(text) else None
