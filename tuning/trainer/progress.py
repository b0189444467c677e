"""A run's progress, as the trainer says it."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from transformers import TrainerCallback

from tuning.trainer.errors import TrainingError

Say = Callable[[Mapping[str, Any]], None]


class Progress(TrainerCallback):  # type: ignore[misc]  # transformers, too
    """Says the step, the losses, the speed and the time left, and gives up when the loss is no number."""

    def __init__(self, say: Say) -> None:
        self._say, self._begun, self._first, self._tokens = say, 0.0, 0, 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._begun, self._first = time.monotonic(), state.global_step
        self._tokens = state.num_input_tokens_seen

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, float] | None = None, **_: Any) -> None:
        shown = {name: logs[name] for name in ("loss", "eval_loss") if logs and name in logs}
        if not shown:
            return
        if not all(math.isfinite(value) for value in shown.values()):
            raise TrainingError(f"the loss is no number any more at step {state.global_step}: lower the rate")
        done = state.global_step - self._first
        took = time.monotonic() - self._begun
        left = took / done * (state.max_steps - state.global_step) if done else None
        speed = (state.num_input_tokens_seen - self._tokens) / took if done else None
        self._say({"step": state.global_step, "of": state.max_steps, **shown, "left_s": left, "tokens_s": speed})
