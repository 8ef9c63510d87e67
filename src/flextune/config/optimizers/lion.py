"""Lion (arXiv:2302.06675), of the package pytorch-optimizer."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from flextune.config.optimizers.base import Betas, OptimizerConfig
from flextune.extras import need
from flextune.registry import OPTIMIZERS


@OPTIMIZERS.register("lion")
class Lion(OptimizerConfig):
    """The sign of a momentum."""

    label: ClassVar[str] = "Lion"
    package: ClassVar[str | None] = "pytorch_optimizer"

    name: Literal["lion"] = Field("lion", description="This optimizer.")
    betas: Betas = Field((0.9, 0.99), description="Decay rates within the step and of the momentum.")

    def trainer_arguments(self, learning_rate: float) -> dict[str, Any]:
        """The class and its options.

        Raises:
            FlextuneError: Its package is missing.
        """
        need("pytorch_optimizer", what="optimizer lion")
        from pytorch_optimizer import Lion as Implementation

        return {"optimizer_cls_and_kwargs": (Implementation, {"lr": learning_rate, "betas": self.betas})}
