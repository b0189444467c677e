"""The result of an evaluation: scores, comparison, abstention, cost and time of each variant (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, quantiles
from typing import Any

from contract.evaluation import Metric
from tuning.evaluation.answer import Answer
from tuning.evaluation.comparison import Comparison, Scores, compared
from tuning.evaluation.judging import NOT_JUDGED, Noise, Verdicts
from tuning.evaluation.plan import Plan, Variant
from tuning.evaluation.question import Question
from tuning.evaluation.run import AGAIN, Answers
from tuning.evaluation.scores import abstains, score


@dataclass(frozen=True)
class Abstention:
    """`withheld` are unanswered unanswerable questions, `refused` answerable ones."""

    withheld: int
    unanswerable: int
    refused: int
    answerable: int


@dataclass(frozen=True)
class Use:
    """Tokens of an answer and its prompt on average, and seconds of an answer: the median and the 95th percentile, of
    answers without errors. `cited` answers have citations."""

    prompt_tokens: float
    answer_tokens: float
    median_s: float
    p95_s: float
    cited: int
    errors: int


@dataclass(frozen=True)
class Result:
    """`flips` are questions to which the first variant gave another answer when asked again, of `repeated`."""

    metric: Metric
    variants: Sequence[Variant]
    questions: int
    groups: int
    comparison: Comparison
    abstention: Mapping[str, Abstention]
    use: Mapping[str, Use]
    flips: int
    repeated: int
    noise: Noise | None
    """The judge's, if there is one."""

    def as_json(self) -> Mapping[str, Any]:
        variants = [variant.model_dump(mode="json") for variant in self.variants]
        return asdict(self) | {"variants": variants, "winner": self.comparison.winner}


def result_of(plan: Plan, questions: Sequence[Question], answers: Answers, verdicts: Verdicts = NOT_JUDGED) -> Result:
    names = [variant.name for variant in plan.variants]
    by_variant = {name: [answers[name, question.line] for question in questions] for name in names}
    scores = scores_of(plan, questions, answers, verdicts)
    use = {name: _use(each) for name, each in by_variant.items()}
    groups = [question.group for question in questions]
    twice = [((names[0], question.line), (names[0] + AGAIN, question.line)) for question in questions]
    again = [(answers[one], answers[other]) for one, other in twice if other in answers]
    return Result(
        metric=plan.metric,
        variants=plan.variants,
        questions=len(questions),
        groups=len(set(groups)),
        comparison=compared(
            scores, groups, {name: each.prompt_tokens + each.answer_tokens for name, each in use.items()}
        ),
        abstention={name: _abstention(questions, each, plan.abstentions) for name, each in by_variant.items()},
        use=use,
        flips=sum(one.text != other.text for one, other in again),
        repeated=len(again),
        noise=verdicts.noise if plan.judge else None,
    )


def scores_of(plan: Plan, questions: Sequence[Question], answers: Answers, verdicts: Verdicts = NOT_JUDGED) -> Scores:
    def scored(variant: Variant, question: Question) -> float:
        key = variant.name, question.line
        return score(plan.metric, question, answers[key], plan.abstentions, verdicts.scores.get(key, 0.0))

    return {variant.name: [scored(variant, question) for question in questions] for variant in plan.variants}


def _use(answers: Sequence[Answer]) -> Use:
    whole = [answer for answer in answers if not answer.error] or [Answer("")]
    seconds = [answer.seconds for answer in whole]
    cuts = quantiles(seconds, n=20, method="inclusive") if len(seconds) > 1 else [seconds[0]] * 19
    return Use(
        prompt_tokens=fmean(answer.prompt_tokens for answer in whole),
        answer_tokens=fmean(answer.answer_tokens for answer in whole),
        median_s=cuts[9],
        p95_s=cuts[18],
        cited=sum(bool(answer.cited) for answer in answers),
        errors=sum(bool(answer.error) for answer in answers),
    )


def _abstention(questions: Sequence[Question], answers: Sequence[Answer], sentences: Sequence[str]) -> Abstention:
    withheld = [
        (question.is_answerable, abstains(answer, sentences))
        for question, answer in zip(questions, answers, strict=True)
    ]
    return Abstention(
        withheld=withheld.count((False, True)),
        unanswerable=sum(not question.is_answerable for question in questions),
        refused=withheld.count((True, True)),
        answerable=sum(question.is_answerable for question in questions),
    )
