"""Sophia (arXiv:2305.14342) with an estimated curvature, and its control with a constant one."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from flextune.config.optimizers.base import Betas, OptimizerConfig
from flextune.config.section import Float, Int
from flextune.registry import OPTIMIZERS

# The authors' gamma goes with the estimate.
_GAMMA = {"gnb": 0.05, "hutchinson": 0.01}
# The curvature in the paper's own scripts.
_CONSTANT_CURVATURE = 1e-4


@OPTIMIZERS.register("sophia")
class Sophia(OptimizerConfig):
    """Momentum over an estimated curvature, clipped."""

    label: ClassVar[str] = "Sophia"

    name: Literal["sophia"] = Field("sophia", description="This optimizer.")
    estimator: Literal["gnb", "hutchinson"] = Field(
        "gnb",
        description="The curvature's estimator. gnb: Gauss-Newton-Bartlett, Sophia-G. hutchinson: Sophia-H.",
    )
    every: Int = Field(10, gt=0, description="Steps between two estimates.")
    gamma: Float | None = Field(
        None,
        gt=0,
        description="Scale of the curvature: a larger one clips less. Aim at win rates of 0.1 to 0.5."
        " null: 0.05 with gnb, else 0.01.",
    )
    betas: Betas = Field((0.96, 0.99), description="Decay rates of the momentum and of the curvature.")
    eps: Float = Field(1e-12, gt=0, description="Smallest denominator.")
    bias_correction: bool = Field(
        True, description="Whether both averages are corrected for their start at 0."
    )
    early_estimates: bool = Field(
        True, description="More estimates in the first steps, for LoRA's start at B = 0."
    )

    def options(self) -> dict[str, Any]:
        """The name and every option that is used, as JSON."""
        return {**super().options(), "gamma": self.gamma or _GAMMA[self.estimator]}

    def _defaults(self) -> OptimizerConfig:
        return Sophia(estimator=self.estimator)

    def given(self) -> dict[str, Any]:
        """As of every optimizer, with the estimator where it is not gnb."""
        estimator = {} if self.estimator == "gnb" else {"estimator": self.estimator}
        return {**super().given(), **estimator}

    def trainer_arguments(self, learning_rate: float) -> dict[str, Any]:
        """Sophia's options, and which estimator feeds it."""
        options = {**self.options(), "betas": self.betas}
        del options["name"]
        return {"estimator": options.pop("estimator"), "sophia": options}


@OPTIMIZERS.register("sophia-constant")
class SophiaConstant(OptimizerConfig):
    """Sophia with a curvature of 1e-4 everywhere: what clipping alone does."""

    label: ClassVar[str] = "Sophia-constant"

    name: Literal["sophia-constant"] = Field("sophia-constant", description="This optimizer.")
    gamma: Float = Field(0.01, gt=0, description="Scale of the curvature: a larger one clips less.")
    betas: Betas = Field(
        (0.96, 0.99), description="Decay rate of the momentum; the second number is not used."
    )
    eps: Float = Field(1e-12, gt=0, description="Smallest denominator.")
    bias_correction: bool = Field(True, description="Whether the momentum is corrected for its start at 0.")

    def trainer_arguments(self, learning_rate: float) -> dict[str, Any]:
        """Sophia's options."""
        options = self.model_dump(exclude={"name"})
        return {"sophia": {**options, "curvature": _CONSTANT_CURVATURE}}
