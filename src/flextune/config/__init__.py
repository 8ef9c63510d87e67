"""An experiment as data: YAML in, every key checked once, arms and overrides applied."""

from __future__ import annotations

from flextune.config.arms import ArmConfig
from flextune.config.effects import effective, unused_settings
from flextune.config.experiment import EMBEDDED_MODEL, DType, Experiment
from flextune.config.optimizers.base import OptimizerConfig
from flextune.config.overrides import merged, nested, set_key
from flextune.config.quick import quick
from flextune.config.reading import dump_experiment, load_experiment, make_experiment, parse_experiment
from flextune.config.recipe import Recipe
from flextune.config.schema import schema
from flextune.config.sections.adapter import AdapterConfig, Targets
from flextune.config.sections.contrasts import ContrastsConfig
from flextune.config.sections.data import DataPart, Lexicon
from flextune.config.sections.decode import DecodeConfig
from flextune.config.sections.evaluate import EvaluateConfig
from flextune.config.sections.generate import GenerateConfig
from flextune.config.sections.judge import JudgeConfig
from flextune.config.sections.match import MatchConfig, matched_setting
from flextune.config.sections.optimizer import optimizer
from flextune.config.sections.penalty import PENALTY_FORM, PENALTY_PRESETS, PenaltyConfig, PenaltySection
from flextune.config.sections.server import Endpoint, ServerConfig, ServerKind
from flextune.config.sections.start import StartConfig
from flextune.config.sections.sweep import RangeConfig, SweepConfig
from flextune.config.sections.train import (
    EarlyStoppingConfig,
    KLConfig,
    ReplayConfig,
    TrainConfig,
)
from flextune.config.sections.tune import TuneConfig, tuned_settings, value_of
from flextune.config.sections.watching import PASS_AT_1, TrainEvaluateConfig, pass_at_1_names

__all__ = [
    "EMBEDDED_MODEL",
    "PASS_AT_1",
    "PENALTY_FORM",
    "PENALTY_PRESETS",
    "AdapterConfig",
    "ArmConfig",
    "ContrastsConfig",
    "DType",
    "DataPart",
    "DecodeConfig",
    "EarlyStoppingConfig",
    "Endpoint",
    "EvaluateConfig",
    "Experiment",
    "GenerateConfig",
    "JudgeConfig",
    "KLConfig",
    "Lexicon",
    "MatchConfig",
    "OptimizerConfig",
    "PenaltyConfig",
    "PenaltySection",
    "RangeConfig",
    "Recipe",
    "ReplayConfig",
    "ServerConfig",
    "ServerKind",
    "StartConfig",
    "SweepConfig",
    "Targets",
    "TrainConfig",
    "TrainEvaluateConfig",
    "TuneConfig",
    "dump_experiment",
    "effective",
    "load_experiment",
    "make_experiment",
    "matched_setting",
    "merged",
    "nested",
    "optimizer",
    "parse_experiment",
    "pass_at_1_names",
    "quick",
    "schema",
    "set_key",
    "tuned_settings",
    "unused_settings",
    "value_of",
]
