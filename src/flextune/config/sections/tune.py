"""The section ``tune``: what is searched for each arm before the seeds, on equal budgets."""

from __future__ import annotations

from typing import Any, Protocol

from pydantic import Field, model_validator

from flextune.config.arms import ArmConfig, Ratio
from flextune.config.optimizers.base import OptimizerConfig
from flextune.config.section import Int, Section, Seed
from flextune.config.sections.train import TrainConfig

_SECTIONS = ("train", "optimizer", "penalty", "adapter", "generate")


class TuneConfig(Section):
    """Settings tuned by the validation loss at the end of a training, each arm with as many trainings."""

    trainings: Int = Field(
        9,
        ge=2,
        description="Trainings per arm. While the best value of some arm is at the edge of what that arm has"
        " tried, every arm gets two more, up to `most`.",
    )
    most: Int = Field(18, ge=2, description="Largest number of trainings per arm.")
    seed: Seed = Field(
        1000, description="Seed of the tuning's trainings; it must not be one of the experiment's seeds."
    )
    validation_size: Int | None = Field(
        None,
        ge=1,
        description="Validation examples of the tuning's trainings: the arm's first. null: all of them.",
    )
    settings: dict[str, Ratio] = Field(
        default_factory=lambda: {"train.learning_rate": 2.0},
        min_length=1,
        description="Keys to tune, and the ratio of two neighbouring values at first. It starts from the"
        " arm's own value, and an arm's `tune` adds to it (null: that arm is not tuned).",
    )

    @model_validator(mode="after")
    def _consistent(self) -> TuneConfig:
        if self.most < self.trainings:
            raise ValueError(f"most: {self.most} is less than trainings: {self.trainings}")
        return self


class ResolvedArm(Protocol):
    """What is asked of an arm: an ``Experiment``."""

    @property
    def name(self) -> str:
        """The arm's."""

    @property
    def train(self) -> TrainConfig | None:
        """None where nothing is trained."""


def tuned_settings(tune: TuneConfig | None, arm: ArmConfig, resolved: ResolvedArm) -> dict[str, float]:
    """What is tuned of an arm, with the ratios; {} for one that is left as it is.

    Raises:
        ValueError: A setting that the arm does not have or that is not a positive number, or no validation.
    """
    if tune is None or arm.tune is None or resolved.train is None:
        return {}
    if resolved.train.validation_size == 0:
        raise ValueError(
            f"tune: arm {arm.name!r} has no validation loss to tune by: train.validation_size is 0"
        )
    ratios = {**tune.settings, **arm.tune}
    for key in ratios:
        if key.startswith("generate."):
            raise ValueError(
                f"tune: {key} changes no training, so no validation loss can choose it; "
                "make an arm for each value instead"
            )
        value = value_of(resolved, key)
        if not isinstance(value, float) or value <= 0:
            raise ValueError(f"tune: {key} of arm {arm.name!r} is {value!r}, not a positive real number")
    return ratios


def value_of(
    resolved: ResolvedArm, key: str, *, what: str = "tune", example: str = "train.learning_rate"
) -> Any:
    """An arm's setting by its dotted key; ``what`` asks for it, ``example`` is one that there is.

    Raises:
        ValueError: If there is none.
    """
    section, _, name = key.partition(".")
    part = getattr(resolved, section) if section in _SECTIONS else None
    if part is None or name not in type(part).model_fields:
        raise ValueError(f"{what}: arm {resolved.name!r} has no setting {key!r} (one is {example})")
    return part.options()[name] if isinstance(part, OptimizerConfig) else getattr(part, name)
