"""The gain of one adapter over another, on the last part of the rows, which neither was chosen by."""

from pathlib import Path

from tuning.division import divided
from tuning.duplicates import groups
from tuning.evaluation.statistics import Grouped, Interval, interval
from tuning.reading import read
from tuning.rendering import Renderer
from tuning.trainer.losses import row_losses
from tuning.trainer.run import Order, rendered


def gain_of(order: Order, before: Path, after: Path) -> Interval:
    """How much lower the loss of `after` is, in nats a token, with near copies of a question drawn together."""
    final = divided(read(order.data).rows).final
    rows = rendered(Renderer.of(order.base), final, order.recipe.max_length)
    names = [str(number) for number in groups([row.row.question for row in rows])]
    first, second = (Grouped.of(row_losses(order.base, adapter, rows), names) for adapter in (before, after))
    return interval(first - second)
