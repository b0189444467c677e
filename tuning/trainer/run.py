"""One training run: it goes on where it was broken off, and ends with the same adapter as if it had not been."""

import json
import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import peft
import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from tuning import memory
from tuning.base import digest_of
from tuning.division import Division, divided
from tuning.reading import read
from tuning.recipe import Recipe
from tuning.rendering import Rendered, Renderer
from tuning.row import Fault, Row

LINEAGE = "lineage.json"
_RUN = "run.json"
_CHECKPOINTS = "checkpoints"
_UNLEARNED = -100  # the label of tokens without a loss
_LOOKS = 20  # at the held-out rows, and as many checkpoints, of a run
# What a checkpoint needs to go on exactly; the last is written last.
_COMPLETE = ("adapter_model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json")

Say = Callable[[Mapping[str, Any]], None]


class TrainingError(Exception):
    """Training cannot begin, or was given up; the message has the reason and the remedy."""


@dataclass(frozen=True)
class Order:
    """The inputs of a run. `out` becomes the adapter's folder."""

    data: Path
    base: Path
    out: Path
    recipe: Recipe


def train(order: Order, say: Say) -> Path:
    """The adapter's folder. Raises TrainingError, BaseUnreadableError and OSError."""
    if (order.out / LINEAGE).is_file():
        raise TrainingError(f"{order.out} has an adapter already: name another folder")
    data, renderer = read(order.data), Renderer.of(order.base)
    if data.faulty:
        raise TrainingError(f"{order.data} has {data.faulty} faults: see quiver tune check {order.data}")
    division = divided(data.rows)
    training, held_out, _ = (
        _rendered(renderer, rows, order.recipe.max_length)
        for rows in (division.training, division.held_out, division.final)
    )
    base = digest_of(order.base)
    _claim(order.out, order.recipe.run_id(data.digest, base))
    model = _model(order.base, order.recipe)
    estimate = _require_memory(model, order.recipe, training)
    trainer = _trainer(model, order, (training, held_out), say)
    before = _held_out_loss(trainer)
    trainer.train(resume_from_checkpoint=_last_checkpoint(order.out))
    loss = _held_out_loss(trainer)
    if loss is not None and before is not None and not loss < before:
        raise TrainingError(
            f"it has learned nothing: the held-out loss is {loss:.3f}, and {before:.3f} without the adapter; remove "
            f"{order.out}, and train at a lower rate, or on more rows"
        )
    return _published(order, model, _lineage(order, (data.digest, base), division, trainer, loss, estimate))


def _rendered(renderer: Renderer, rows: Sequence[Row], max_length: int) -> list[Rendered]:
    """Raises TrainingError for the first row that cannot be learned from."""
    kept = []
    for row in rows:
        rendered = renderer.rendered(row, max_length)
        if isinstance(rendered, Fault):
            raise TrainingError(f"line {rendered.line}: {rendered.message}")
        kept.append(rendered)
    return kept


def _claim(out: Path, run_id: str) -> None:
    """Raises TrainingError if another run has begun there."""
    out.mkdir(parents=True, exist_ok=True)
    file = out / _RUN
    if file.is_file() and json.loads(file.read_text())["run"] != run_id:
        raise TrainingError(
            f"{out} has a run of other data, of another base or with another recipe: remove it, or name another folder"
        )
    file.write_text(json.dumps({"run": run_id}))


def _model(base: Path, recipe: Recipe) -> PeftModel:
    """Adapters are trained in single precision: in bf16 small steps vanish."""
    torch.manual_seed(recipe.seed)
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    lora = LoraConfig(r=recipe.rank, lora_alpha=recipe.alpha, lora_dropout=0.0, target_modules="all-linear",
                      use_rslora=recipe.method == "rslora", task_type="CAUSAL_LM")  # fmt: skip
    return get_peft_model(plain, lora)


def _require_memory(model: PeftModel, recipe: Recipe, rows: Sequence[Rendered]) -> int:
    """The bytes for training at the most. Raises TrainingError if they are not free."""
    configuration = model.config
    shape = memory.Shape(
        parameters=sum(weight.numel() for weight in model.parameters() if not weight.requires_grad),
        trained=sum(weight.numel() for weight in model.parameters() if weight.requires_grad),
        layers=configuration.num_hidden_layers,
        hidden=configuration.hidden_size,
        vocabulary=configuration.vocab_size,
    )
    longest = min(recipe.max_length, max((row.length for row in rows), default=0))
    needed, free = memory.needed(shape, recipe.batch, longest), memory.free()
    if needed > free + memory.resident():
        raise TrainingError(
            f"it needs up to {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free: take smaller batches "
            "or shorter rows"
        )
    return needed


def _held_out_loss(trainer: Trainer) -> float | None:
    """None without held-out rows."""
    return float(trainer.evaluate()["eval_loss"]) if trainer.eval_dataset is not None else None


def _trainer(model: PeftModel, order: Order, parts: Sequence[Sequence[Rendered]], say: Say) -> Trainer:
    training, held_out = (_Rows(part, order.recipe.max_length) for part in parts)
    steps = math.ceil(len(training) / order.recipe.batch) * order.recipe.epochs
    every = max(1, steps // _LOOKS)
    arguments = TrainingArguments(
        output_dir=str(order.out / _CHECKPOINTS),
        per_device_train_batch_size=order.recipe.batch,
        per_device_eval_batch_size=order.recipe.batch,
        num_train_epochs=order.recipe.epochs,
        learning_rate=order.recipe.rate,
        lr_scheduler_type="cosine",
        warmup_steps=max(1, steps // 20),
        max_grad_norm=1.0,
        eval_strategy="steps" if len(held_out) else "no",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,
        load_best_model_at_end=len(held_out) > 0,
        metric_for_best_model="eval_loss",
        restore_callback_states_from_checkpoint=True,
        logging_steps=every,
        logging_nan_inf_filter=False,
        seed=order.recipe.seed,
        data_seed=order.recipe.seed,
        use_cpu=not torch.cuda.is_available(),
        bf16=False,
        fp16=False,
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to=[],
    )
    callbacks: list[TrainerCallback] = [_Progress(say)]
    if len(held_out):
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=order.recipe.patience))
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=training,
        eval_dataset=held_out if len(held_out) else None,
        data_collator=_Collator(_padding(order.base)),
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


class _Rows(torch.utils.data.Dataset):  # type: ignore[misc]  # torch is in another environment
    """Token ids, and labels for the answer alone; the end of a row that is too long is cut."""

    def __init__(self, rows: Sequence[Rendered], max_length: int) -> None:
        self._rows = [(row.prompt + row.answer)[:max_length] for row in rows]
        self._prompts = [len(row.prompt) for row in rows]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Mapping[str, Sequence[int]]:
        ids, prompt = self._rows[index], self._prompts[index]
        return {"input_ids": ids, "labels": (*(_UNLEARNED,) * prompt, *ids[prompt:])}


@dataclass(frozen=True)
class _Collator:
    """Pads to the longest row of a batch: int64[rows, longest]."""

    padding: int

    def __call__(self, rows: Sequence[Mapping[str, Sequence[int]]]) -> Mapping[str, torch.Tensor]:
        longest = max(len(row["input_ids"]) for row in rows)
        ids = [[*row["input_ids"], *[self.padding] * (longest - len(row["input_ids"]))] for row in rows]
        labels = [[*row["labels"], *[_UNLEARNED] * (longest - len(row["labels"]))] for row in rows]
        mask = [[1] * len(row["input_ids"]) + [0] * (longest - len(row["input_ids"])) for row in rows]
        return {"input_ids": torch.tensor(ids), "labels": torch.tensor(labels), "attention_mask": torch.tensor(mask)}


def _padding(base: Path) -> int:
    """Any token serves: padded places are masked, and have no label."""
    configuration = json.loads((base / "config.json").read_text(encoding="utf-8"))
    padding = configuration.get("pad_token_id")
    return padding if isinstance(padding, int) else 0


class _Progress(TrainerCallback):  # type: ignore[misc]  # transformers, too
    """Says the step, the losses and the time left, and gives up when the loss is no number."""

    def __init__(self, say: Say) -> None:
        self._say, self._begun, self._first = say, 0.0, 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._begun, self._first = time.monotonic(), state.global_step

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, float] | None = None, **_: Any) -> None:
        shown = {name: logs[name] for name in ("loss", "eval_loss") if logs and name in logs}
        if not shown:
            return
        if not all(math.isfinite(value) for value in shown.values()):
            raise TrainingError(f"the loss is no number any more at step {state.global_step}: lower the rate")
        done = state.global_step - self._first
        left = (time.monotonic() - self._begun) / done * (state.max_steps - state.global_step) if done else None
        self._say({"step": state.global_step, "of": state.max_steps, **shown, "left_s": left})


def _last_checkpoint(out: Path) -> str | None:
    """The newest complete one: a kill may have come during the last write."""
    paths = sorted((out / _CHECKPOINTS).glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    return next((str(path) for path in reversed(paths) if _is_complete(path)), None)


def _is_complete(checkpoint: Path) -> bool:
    if not all((checkpoint / name).is_file() for name in _COMPLETE):
        return False
    try:
        json.loads((checkpoint / _COMPLETE[-1]).read_text())
    except ValueError:
        return False
    return True


def _lineage(
    order: Order,
    digests: tuple[str, str],
    division: Division,
    trainer: Trainer,
    held_out_loss: float | None,
    estimate: int,
) -> Mapping[str, Any]:
    """The origin of the adapter. `digests` are those of the data and the base."""
    data, base = digests
    return {
        "data": {
            "sha256": data,
            "training": len(division.training),
            "held_out": len(division.held_out),
            "final": len(division.final),
        },
        "base": {"sha256": base, "name": order.base.name},
        "recipe": asdict(order.recipe),
        "steps": trainer.state.global_step,
        "best_step": trainer.state.best_global_step,
        "held_out_loss": held_out_loss,
        "memory_bytes": {"estimated": estimate, "peak": memory.peak()},
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__},
    }


def _published(order: Order, model: PeftModel, lineage: Mapping[str, Any]) -> Path:
    """The lineage is written last: a folder with one is a finished adapter."""
    model.peft_config["default"].base_model_name_or_path = order.base.name
    model.save_pretrained(str(order.out))
    (order.out / "README.md").unlink(missing_ok=True)
    shutil.rmtree(order.out / _CHECKPOINTS, ignore_errors=True)
    staged = order.out / f"{LINEAGE}~"
    staged.write_text(json.dumps(lineage, indent=2) + "\n")
    (order.out / _RUN).unlink()
    staged.replace(order.out / LINEAGE)
    return order.out
