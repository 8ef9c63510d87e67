"""Trainers with Sophia, and their batches."""

from __future__ import annotations

from typing import Any

import torch
from tests.support.trainings import rows
from torch import Tensor
from transformers import Trainer

from flextune.training import SophiaMixin
from flextune.training.batches.padded import Collator


class InOrder(Trainer):
    """Takes the rows as they come, as a training by hand does."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return torch.utils.data.SequentialSampler(self.train_dataset)


class SophiaTrainer(SophiaMixin, InOrder):
    pass


def micro_batches(parts: int) -> list[dict[str, Tensor]]:
    all_rows, size = rows(), 8 // parts
    return [Collator(1)(all_rows[start : start + size]) for start in range(0, 8, size)]
