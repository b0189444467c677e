"""`python -m tuning.trainer.augment`: trains without and with other wordings, and keeps those only if they helped.

Both have the same seed and the same number of steps. They are compared on the last part of the rows, as they were
written. A killed run goes on.
"""

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from contract.fine_tune import Augmentation
from tuning.evaluation.statistics import Interval
from tuning.recipe import Recipe
from tuning.trainer.command import ended, parser
from tuning.trainer.errors import TrainingError
from tuning.trainer.gain import gain_of
from tuning.trainer.output import say
from tuning.trainer.progress import Say
from tuning.trainer.run import LINEAGE, Order, train

RESULT = "augmentation.json"


@dataclass(frozen=True)
class Result:
    """`gain` is the lower loss with other wordings, in nats a token."""

    augmentation: Augmentation
    is_better: bool
    gain: Interval

    def as_json(self) -> Mapping[str, object]:
        how = self.augmentation.model_dump(mode="json")
        return {"augmentation": how, "is_better": self.is_better, "gain": asdict(self.gain)}


def augment(order: Order, how: Augmentation, say: Say) -> Result:
    """`order.out`/adapter is the better of the two. Raises TrainingError, BaseUnreadableError and OSError."""
    if (order.out / RESULT).is_file():
        raise TrainingError(f"{order.out} has a result already: name another folder")
    plain = _trained(replace(order, out=order.out / "plain"), "without", say)
    augmented = _trained(replace(order, out=order.out / "augmented", augmentation=how), "with", say)
    gain = gain_of(order, plain, augmented)
    result = Result(how, gain.is_above_zero, gain)
    _publish(order.out, augmented if result.is_better else plain, result)
    return result


def _trained(order: Order, which: str, say: Say) -> Path:
    def told(line: Mapping[str, object]) -> None:
        say({**line, "which": which})

    return order.out if (order.out / LINEAGE).is_file() else train(order, told)


def _publish(out: Path, chosen: Path, result: Result) -> None:
    """The result is written last."""
    adapter, staged = out / "adapter", out / f"{RESULT}~"
    shutil.rmtree(adapter, ignore_errors=True)
    shutil.copytree(chosen, adapter)
    staged.write_text(json.dumps(result.as_json(), indent=2) + "\n")
    staged.replace(out / RESULT)
    for name in ("plain", "augmented"):
        shutil.rmtree(out / name, ignore_errors=True)


def main() -> int:
    arguments = parser("python -m tuning.trainer.augment", __doc__)
    arguments.add_argument("--augmentation", type=Augmentation.model_validate_json, required=True,
                           help="its fields, as JSON")  # fmt: skip
    given = arguments.parse_args()
    order = Order(given.data, given.base, given.out, Recipe(**given.recipe))
    return ended(
        lambda: {"augmented": augment(order, given.augmentation, say).as_json(), "adapter": str(given.out / "adapter")}
    )


if __name__ == "__main__":
    sys.exit(main())
