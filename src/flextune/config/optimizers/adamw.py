"""AdamW (arXiv:1711.05101), which transformers' Trainer makes itself."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from flextune.config.optimizers.base import Betas, OptimizerConfig
from flextune.config.section import Float
from flextune.registry import OPTIMIZERS


@OPTIMIZERS.register("adamw")
class AdamW(OptimizerConfig):
    """AdamW."""

    label: ClassVar[str] = "AdamW"

    name: Literal["adamw"] = Field("adamw", description="This optimizer.")
    betas: Betas = Field(
        (0.9, 0.999), description="Decay rates of the averages of the gradient and of its square."
    )
    eps: Float = Field(1e-8, gt=0, description="Term added to the denominator.")

    def training_arguments(self) -> dict[str, Any]:
        """Betas and epsilon."""
        return {"adam_beta1": self.betas[0], "adam_beta2": self.betas[1], "adam_epsilon": self.eps}
