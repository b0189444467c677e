"""A result as text, and as one HTML page without anything from the network (pure)."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import jinja2

from tuning.evaluation.comparison import Pair
from tuning.evaluation.result import Abstention, Result

_PAGE = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True,
                           lstrip_blocks=True)  # fmt: skip


def lines(result: Result) -> Iterator[str]:
    yield f"{result.questions} questions in {result.groups} groups, scored by {result.metric}"
    width = max(map(len, result.comparison.means))
    for name, mean in result.comparison.means.items():
        interval, use = result.comparison.intervals[name], result.use[name]
        yield (
            f"{name:{width}}  {mean:6.1%}  ({interval.low:.1%} to {interval.high:.1%})  "
            f"{use.prompt_tokens:.0f} + {use.answer_tokens:.0f} tokens, {use.median_s:.2f} s, p95 {use.p95_s:.2f} s"
            + _abstained(result.abstention[name]) + (f", {use.errors} refused by the API" if use.errors else "")
        )  # fmt: skip
    yield from (_pair(pair) for pair in result.comparison.pairs)
    yield conclusion(result)
    if result.noise:
        yield str(result.noise)
    if result.repeated:
        first = next(iter(result.comparison.means))
        yield f"asked again, {first} gave another text to {result.flips} of {result.repeated} questions"


def _abstained(abstention: Abstention) -> str:
    refused = f", refused {abstention.refused} of {abstention.answerable} answerable" if abstention.refused else ""
    if not abstention.unanswerable:
        return refused
    return f", withheld {abstention.withheld} of {abstention.unanswerable} unanswerable{refused}"


def _pair(pair: Pair) -> str:
    size = f"{pair.difference:+.1%} ({pair.interval.low:+.1%} to {pair.interval.high:+.1%}), p {pair.p:.3f} corrected"
    if pair.better is None:
        return f"{pair.one} and {pair.other} are not told apart: {size}; smaller than {pair.visible:.1%} is not seen"
    return f"{pair.one} is better than {pair.other}: {size}"


def conclusion(result: Result) -> str:
    comparison = result.comparison
    if comparison.winner:
        return f"winner: {comparison.winner}"
    return f"no winner: {', '.join(comparison.best)} are not told apart; {comparison.best[0]} is the cheapest of them"


def page(result: Result, title: str) -> str:
    """HTML with bars and intervals as SVG."""
    noise = [str(result.noise)] if result.noise else []
    values: Mapping[str, object] = {"result": result, "title": title, "conclusion": conclusion(result),
                                    "sentences": [*map(_pair, result.comparison.pairs), *noise]}  # fmt: skip
    return _PAGE.get_template("report.html").render(values)
