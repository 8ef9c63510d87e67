"""A training as one record: what is handed to the training engine, keyed and logged."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from flextune.config.optimizers.adamw import AdamW
from flextune.config.section import Section, Seed
from flextune.config.sections.adapter import AdapterConfig
from flextune.config.sections.optimizer import Optimizer
from flextune.config.sections.penalty import Penalty
from flextune.config.sections.train import TrainConfig

#: A penalty of LoRA's two factors says nothing about whole weights.
NO_PENALTY = "penalty: it is of LoRA's A and B, and adapter: null has none; set penalty: null there"

#: Keys of ``train`` that change no bit of the adapter.
_WITHOUT_EFFECT = {"logging_steps", "save_steps", "report_to", "gradient_checkpointing", "distributed"}


class Recipe(Section):
    """All that determines a training, apart from the model and the examples.

    Attributes:
        adapter: Kind of LoRA, rank, alpha, dropout, targets, layers; None: all weights train.
        train: Steps, batches, learning rate and its schedule, and the controls. ``data`` and its companions
            say where the examples came from; the engine is handed the examples themselves.
        optimizer: The optimizer's section.
        penalty: The penalty on the LoRA matrices, or None.
        seed: Seed of the adapter's start, the order of the examples, dropout, and what an optimizer draws.
    """

    adapter: AdapterConfig | None = AdapterConfig()
    train: TrainConfig = TrainConfig()
    optimizer: Optimizer = AdamW()
    penalty: Penalty | None = None
    seed: Seed = Field(0, description="Seed of the adapter's start, the order of the examples and dropout.")

    @model_validator(mode="after")
    def _whole_weights(self) -> Recipe:
        if self.adapter is None and self.penalty is not None and self.penalty.strength > 0:
            raise ValueError(NO_PENALTY)
        return self

    def row(self) -> dict[str, Any]:
        """Every setting, as JSON."""
        return {
            "adapter": self.adapter.model_dump(mode="json") if self.adapter else None,
            "train": self.train.model_dump(mode="json"),
            "optimizer": self.optimizer.options(),
            "penalty": self.penalty.model_dump(mode="json") if self.penalty else None,
            "seed": self.seed,
        }

    def given(self) -> dict[str, Any]:
        """What determines the adapter's weights, without settings at their defaults.

        A later option does then not train old runs again. How often the training logs and saves is left out,
        what it reports to, what it evaluates (unless that decides which adapter is kept), whether activations
        are computed again, how processes share the work, and all of a penalty of strength 0. Of examples and
        of a start from another adapter a key has the content.
        """
        penalized = self.penalty is not None and self.penalty.strength > 0
        elsewhere = {*_WITHOUT_EFFECT, "deduplicate", "start"}
        if not self.train.judged:
            elsewhere |= {"evaluate"}
        # Which examples these are, a key says by their content; a path says nothing.
        if not isinstance(self.train.data, str) or self.train.part.source is None:
            elsewhere |= {"data"}
        return {
            "adapter": self.adapter.model_dump(mode="json", exclude_defaults=True) if self.adapter else None,
            "train": self.train.model_dump(mode="json", exclude_defaults=True, exclude=elsewhere),
            "optimizer": self.optimizer.given(),
            "penalty": self.penalty.given() if self.penalty is not None and penalized else None,
            "seed": self.seed,
        }
