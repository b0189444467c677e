"""Lines of JSON on the standard output of an asking job."""

import json
import sys
from collections.abc import Mapping
from typing import Any


def say(line: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Progress:
    """Says every hundredth part of the answers."""

    def __init__(self) -> None:
        self._said = 0

    def __call__(self, done: int, total: int) -> None:
        if done == total or done - self._said >= max(1, total // 100):
            self._said = done
            say({"answers": done, "of": total})
