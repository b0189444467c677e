"""Output of the trainer's commands: lines of JSON on standard output, and nothing of the libraries."""

import json
import logging
import sys
import warnings
from collections.abc import Mapping
from typing import Any

from transformers.utils.logging import disable_progress_bar


def say(line: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def silence() -> None:
    """Libraries speak about themselves below errors."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    disable_progress_bar()
