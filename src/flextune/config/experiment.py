"""The whole experiment, and its arms with their overrides applied."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from flextune.config.section import Part
from flextune.config.sections.evaluate import DecodeConfig, EvaluateConfig, JudgeConfig
from flextune.config.sections.optimizer import OptimizerConfig, merged
from flextune.config.sections.penalty import PenaltyConfig, expand_preset
from flextune.config.sections.train import AdapterConfig, TrainConfig
from flextune.config.sections.tune import Ratio, TuneConfig, tuned_settings
from flextune.config.validation import validate

#: The embedded base model; any other value is a folder or a hub id.
EMBEDDED_MODEL = "rosetta"


class ArmConfig(Part):
    """A named variation: what it gives overrides the experiment; ``train: null`` is the base model itself."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")
    adapter: dict[str, Any] = Field(default_factory=dict)
    train: dict[str, Any] | None = Field(default_factory=dict)
    optimizer: dict[str, Any] = Field(default_factory=dict)
    penalty: dict[str, Any] | None = Field(default_factory=dict)
    tune: dict[str, Ratio] | None = Field(default_factory=dict)


class Experiment(Part):
    """Everything that determines a run."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    model: str = EMBEDDED_MODEL
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1, ...")
    adapter: AdapterConfig = AdapterConfig()
    train: TrainConfig = TrainConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    penalty: PenaltyConfig | None = None
    decode: list[DecodeConfig] = Field(default_factory=lambda: [DecodeConfig()], min_length=1)
    evaluate: list[EvaluateConfig] = Field(default_factory=list)
    judge: JudgeConfig = JudgeConfig()
    seeds: list[int] = Field(default_factory=lambda: [0], min_length=1)
    tune: TuneConfig | None = None
    arms: list[ArmConfig] = Field(default_factory=list)

    @model_validator(mode="after")
    def _consistent(self) -> Experiment:
        given = {
            "arms": [arm.name for arm in self.arms],
            "seeds": [*map(str, self.seeds)],
            # Scores are kept by these; two of one label would fill the same row.
            "decode": [decode.label for decode in self.decode],
            "evaluate": [part.label for part in self.evaluate],
        }
        for what, values in given.items():
            twice = [value for value in values if values.count(value) > 1]
            if twice:
                raise ValueError(f"{what}: {twice[0]!r} is given twice")
        for arm in self.given_arms():
            tuned_settings(self.tune, arm, resolve_arm(self, arm))
        if self.tune is not None and self.tune.seed in self.seeds:
            raise ValueError(f"tune.seed: {self.tune.seed} is one of the seeds that the result is made with")
        return self

    def resolved_arms(self) -> list[ResolvedArm]:
        """Each arm with its own settings."""
        return [resolve_arm(self, arm) for arm in self.given_arms()]

    def given_arms(self) -> list[ArmConfig]:
        """The arms as they are written; an experiment without arms is one arm of its own name."""
        return self.arms or [ArmConfig(name=self.name)]


class ResolvedArm(Part):
    """One arm after its overrides; ``train`` None means the base model."""

    name: str
    adapter: AdapterConfig
    train: TrainConfig | None
    optimizer: OptimizerConfig
    penalty: PenaltyConfig | None


def resolve_arm(experiment: Experiment, arm: ArmConfig) -> ResolvedArm:
    """Apply an arm's overrides; a key it does not give keeps the experiment's value.

    Raises:
        FlextuneError: At the arm's own key, naming the nearest known one.
    """
    penalty: PenaltyConfig | None = experiment.penalty
    where = f"arms.{arm.name}"
    if arm.penalty is None:
        penalty = None
    elif arm.penalty:
        base = experiment.penalty.model_dump() if experiment.penalty else {}
        # A preset stands for all its options: those of the experiment's penalty would undo it.
        given = expand_preset(arm.penalty)
        penalty = validate(PenaltyConfig, {**base, **given}, where=f"{where}.penalty")
    train = None
    if arm.train is not None:
        train = validate(TrainConfig, {**experiment.train.model_dump(), **arm.train}, where=f"{where}.train")
    adapter = validate(
        AdapterConfig, {**experiment.adapter.model_dump(), **arm.adapter}, where=f"{where}.adapter"
    )
    optimizer = experiment.optimizer
    if arm.optimizer:
        optimizer = validate(OptimizerConfig, merged(optimizer, arm.optimizer), where=f"{where}.optimizer")
    return ResolvedArm(name=arm.name, adapter=adapter, train=train, optimizer=optimizer, penalty=penalty)


def schema() -> dict[str, Any]:
    """JSON schema of an experiment file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Experiment.model_json_schema()}
