"""One training run: it goes on where it was broken off, and ends with the same adapter as if it had not been."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import peft
import torch
import transformers
from peft import PeftModel
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from contract.fine_tune import Augmentation
from tuning import memory
from tuning.augmentation import augmented
from tuning.base import adapter_digest, digest_of
from tuning.division import Division, divided
from tuning.reading import read
from tuning.recipe import Recipe
from tuning.rendering import Rendered, Renderer
from tuning.row import Fault, Row
from tuning.trainer import checkpoints
from tuning.trainer.errors import TrainingError
from tuning.trainer.model import adapted, fit_magnitudes, linear_bytes
from tuning.trainer.progress import Progress, Say
from tuning.trainer.rows import Collator, Rows
from tuning.trainer.shape import shape_of

LINEAGE = "lineage.json"
_LOOKS = 20  # at the held-out rows, and as many checkpoints, of a run


@dataclass(frozen=True)
class Order:
    """The inputs of a run. `out` becomes the adapter's folder, `start` is an adapter to go on from. With an
    `augmentation` it has as many steps as without."""

    data: Path
    base: Path
    out: Path
    recipe: Recipe
    start: Path | None = None
    augmentation: Augmentation | None = None


def train(order: Order, say: Say) -> Path:
    """The adapter's folder. Raises TrainingError, BaseUnreadableError and OSError."""
    if (order.out / LINEAGE).is_file():
        raise TrainingError(f"{order.out} has an adapter already: name another folder")
    data, renderer = read(order.data), Renderer.of(order.base)
    if data.faulty:
        raise TrainingError(f"{order.data} has {data.faulty} faults: see quiver tune check {order.data}")
    division = divided(data.rows)
    added = _added(order, division)
    training, held_out, _ = (
        rendered(renderer, rows, order.recipe.max_length)
        for rows in ((*division.training, *added), division.held_out, division.final)
    )
    base = digest_of(order.base)
    start = adapter_digest(order.start) if order.start else ""
    how = [order.augmentation.model_dump_json()] if order.augmentation else []
    run_id = order.recipe.run_id(data.digest, base, start, *how)
    checkpoints.require_own(order.out, run_id)
    estimate = _require_memory(order, training)
    model = adapted(order.base, order.recipe, order.start)
    checkpoints.claim(order.out, run_id)
    steps = math.ceil(len(division.training) / order.recipe.batch) * order.recipe.epochs
    trainer = _trainer(model, order, (training, held_out), steps, say)
    before = _held_out_loss(trainer)
    trainer.train(resume_from_checkpoint=checkpoints.last(order.out))
    loss = _held_out_loss(trainer)
    if loss is not None and before is not None and not loss < before:
        raise TrainingError(
            f"it has learned nothing: the held-out loss is {loss:.3f}, and was {before:.3f} before; remove "
            f"{order.out}, and train at a lower rate, or on more rows"
        )
    return _published(order, model, _lineage(order, (data.digest, base, start), division, trainer, loss, estimate))


def _added(order: Order, division: Division) -> Sequence[Row]:
    if order.augmentation is None:
        return ()
    held = (*division.held_out, *division.final)
    return augmented(division.training, held, order.augmentation, order.recipe.seed)


def rendered(renderer: Renderer, rows: Sequence[Row], max_length: int) -> list[Rendered]:
    """Raises TrainingError for the first unusable row."""
    kept = []
    for row in rows:
        rendered = renderer.rendered(row, max_length)
        if isinstance(rendered, Fault):
            raise TrainingError(f"line {rendered.line}: {rendered.message}")
        kept.append(rendered)
    return kept


def _require_memory(order: Order, rows: Sequence[Rendered]) -> int:
    """The largest number of bytes for training. Raises TrainingError if they are not free."""
    recipe = order.recipe
    longest = min(recipe.max_length, max((row.length for row in rows), default=0))
    more = memory.needed(shape_of(order.base, recipe), recipe.batch, longest, is_dora=recipe.is_dora)
    if more > memory.free():
        raise TrainingError(
            f"it needs up to {more / 1e9:.1f} GB of memory, and {memory.free() / 1e9:.1f} GB are free: take smaller "
            "batches or shorter rows, or a method with q, which holds the base in 4 bits"
        )
    return memory.resident() + more


def _held_out_loss(trainer: Trainer) -> float | None:
    """None without held-out rows."""
    return float(trainer.evaluate()["eval_loss"]) if trainer.eval_dataset is not None else None


def _trainer(model: PeftModel, order: Order, parts: Sequence[Sequence[Rendered]], steps: int, say: Say) -> Trainer:
    """`parts` are rows to learn from, and held-out ones."""
    training, held_out = (Rows(part, order.recipe.max_length) for part in parts)
    every = max(1, steps // _LOOKS)
    arguments = TrainingArguments(
        output_dir=str(checkpoints.folder(order.out)),
        per_device_train_batch_size=order.recipe.batch,
        per_device_eval_batch_size=order.recipe.batch,
        num_train_epochs=order.recipe.epochs,
        max_steps=steps if order.augmentation else -1,
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
        include_num_input_tokens_seen="non_padding",
    )
    callbacks: list[TrainerCallback] = [Progress(say)]
    if len(held_out):
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=order.recipe.patience))
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=training,
        eval_dataset=held_out if len(held_out) else None,
        data_collator=Collator(_padding(order.base)),
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _padding(base: Path) -> int:
    """Any token serves: padded places are masked, and have no label."""
    configuration = json.loads((base / "config.json").read_text(encoding="utf-8"))
    padding = configuration.get("pad_token_id")
    return padding if isinstance(padding, int) else 0


def _lineage(
    order: Order,
    digests: tuple[str, str, str],
    division: Division,
    trainer: Trainer,
    held_out_loss: float | None,
    estimate: int,
) -> Mapping[str, Any]:
    """The origin of the adapter. `digests` are those of the data, the base, and the adapter that it began as, or ""."""
    data, base, start = digests
    return {
        "data": {
            "sha256": data,
            "training": len(division.training),
            "held_out": len(division.held_out),
            "final": len(division.final),
        },
        "augmentation": order.augmentation.model_dump(mode="json") if order.augmentation else None,
        "base": {"sha256": base, "name": order.base.name},
        "start": {"sha256": start} if start else None,
        "recipe": asdict(order.recipe),
        "steps": trainer.state.global_step,
        "best_step": trainer.state.best_global_step,
        "held_out_loss": held_out_loss,
        "memory_bytes": {
            "estimated": estimate,
            "linear_weights": linear_bytes(trainer.model),
        },
        "versions": {
            "quiver": version("quiver"),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "peft": peft.__version__,
        },
    }


def _sort_configuration(file: Path) -> None:
    """PEFT writes sets of names in the order of their hashes, which is another one in each process."""
    configuration = json.loads(file.read_text(encoding="utf-8"))
    names = ("target_modules", "modules_to_save", "exclude_modules")
    ordered = {name: sorted(value) for name in names if isinstance(value := configuration.get(name), list)}
    file.write_text(json.dumps(configuration | ordered, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _published(order: Order, model: PeftModel, lineage: Mapping[str, Any]) -> Path:
    """The lineage is written last: a folder with one is a finished adapter."""
    if order.recipe.method == "qdora":
        fit_magnitudes(model, order.base)
    model.peft_config["default"].base_model_name_or_path = order.base.name
    model.save_pretrained(str(order.out))
    _sort_configuration(order.out / "adapter_config.json")
    (order.out / "README.md").unlink(missing_ok=True)
    staged = order.out / f"{LINEAGE}~"
    used = lineage["memory_bytes"] | {"peak": memory.peak()}
    staged.write_text(json.dumps({**lineage, "memory_bytes": used}, indent=2) + "\n")
    checkpoints.remove(order.out)
    staged.replace(order.out / LINEAGE)
    return order.out
