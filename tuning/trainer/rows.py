"""Rows as tensors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from tuning.rendering import Rendered

_UNLEARNED = -100  # the label of tokens without a loss


class Rows(torch.utils.data.Dataset):  # type: ignore[misc]  # torch is in another environment
    """Token ids, and labels for the answer alone; too long rows lose their end."""

    def __init__(self, rows: Sequence[Rendered], max_length: int) -> None:
        self._rows = [(row.prompt + row.answer)[:max_length] for row in rows]
        self._prompts = [len(row.prompt) for row in rows]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Mapping[str, Sequence[int]]:
        ids, prompt = self._rows[index], self._prompts[index]
        return {"input_ids": ids, "labels": (*(_UNLEARNED,) * prompt, *ids[prompt:])}


@dataclass(frozen=True)
class Collator:
    """Pads to the longest row of a batch: int64[rows, longest]."""

    padding: int

    def __call__(self, rows: Sequence[Mapping[str, Sequence[int]]]) -> Mapping[str, torch.Tensor]:
        longest = max(len(row["input_ids"]) for row in rows)
        ids = [[*row["input_ids"], *[self.padding] * (longest - len(row["input_ids"]))] for row in rows]
        labels = [[*row["labels"], *[_UNLEARNED] * (longest - len(row["labels"]))] for row in rows]
        mask = [[1] * len(row["input_ids"]) + [0] * (longest - len(row["input_ids"])) for row in rows]
        return {"input_ids": torch.tensor(ids), "labels": torch.tensor(labels), "attention_mask": torch.tensor(mask)}
