"""Advice as text (pure)."""

from collections.abc import Iterator

from tuning.advice.advice import FIRST, Advice
from tuning.advice.facts import ADAPTER


def lines(advice: Advice) -> Iterator[str]:
    for number, answered in enumerate(advice.questions, 1):
        source = f"  [{answered.source}]" if answered.source else ""
        yield f"{number}. {answered.question} {answered.answer}{source}"
    yield ""
    yield f"{'Serve' if advice.sure else 'Begin with'}: {advice.recommendation}"
    yield from (f"- {reason}" for reason in advice.reasons)
    missing = sum(answered.is_missing for answered in advice.questions)
    if missing:
        yield f"- {missing} of 6 questions have no answer yet: what they name would make this surer."
    if ADAPTER in advice.parts or not advice.sure:
        yield f"- {FIRST}"
