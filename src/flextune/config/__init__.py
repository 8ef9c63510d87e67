"""An experiment as data: YAML in, every key checked once, arms and overrides applied."""

from __future__ import annotations

from flextune.config.experiment import (
    EMBEDDED_MODEL,
    ArmConfig,
    Experiment,
    ResolvedArm,
    resolve_arm,
    schema,
)
from flextune.config.quick import quick
from flextune.config.reading import apply_override, dump_experiment, load_experiment, parse_experiment
from flextune.config.sections.evaluate import DecodeConfig, EvaluateConfig, JudgeConfig
from flextune.config.sections.optimizer import OptimizerConfig
from flextune.config.sections.penalty import PENALTY_FORM, PENALTY_PRESETS, PenaltyConfig
from flextune.config.sections.train import (
    AdapterConfig,
    EarlyStoppingConfig,
    KLConfig,
    Lexicon,
    ReplayConfig,
    Targets,
    TrainConfig,
)
from flextune.config.sections.tune import TuneConfig, tuned_settings, value_of, with_settings

__all__ = [
    "EMBEDDED_MODEL",
    "PENALTY_FORM",
    "PENALTY_PRESETS",
    "AdapterConfig",
    "ArmConfig",
    "DecodeConfig",
    "EarlyStoppingConfig",
    "EvaluateConfig",
    "Experiment",
    "JudgeConfig",
    "KLConfig",
    "Lexicon",
    "OptimizerConfig",
    "PenaltyConfig",
    "ReplayConfig",
    "ResolvedArm",
    "Targets",
    "TrainConfig",
    "TuneConfig",
    "apply_override",
    "dump_experiment",
    "load_experiment",
    "parse_experiment",
    "quick",
    "resolve_arm",
    "schema",
    "tuned_settings",
    "value_of",
    "with_settings",
]
