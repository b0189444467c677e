"""`python -m tuning.trainer`: progress and the end as lines of JSON on standard output."""

import sys
from pathlib import Path

from tuning.recipe import Recipe
from tuning.trainer.command import ended, parser
from tuning.trainer.output import say
from tuning.trainer.run import Order, train


def main() -> int:
    arguments = parser("python -m tuning.trainer", __doc__)
    arguments.add_argument("--start", type=Path, help="the folder of an adapter to go on from")
    given = arguments.parse_args()
    order = Order(given.data, given.base, given.out, Recipe(**given.recipe), given.start)
    return ended(lambda: {"adapter": str(train(order, say))})


if __name__ == "__main__":
    sys.exit(main())
