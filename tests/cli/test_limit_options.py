"""Limits as options say what limits in an experiment and in Python say."""

from __future__ import annotations

from flextune.cli.limit_options import LimitOptions
from flextune.config import JudgeConfig
from flextune.judging import Limits


def test_without_options_the_limits_are_the_judges() -> None:
    assert LimitOptions().limits() == Limits()


def test_the_options_are_the_keys_of_an_experiment() -> None:
    assert JudgeConfig(**LimitOptions().section()) == JudgeConfig()
    no_limits = {"tolerance", "site_packages"}
    assert set(LimitOptions().section()) == set(JudgeConfig.model_fields) - no_limits


def test_the_former_name_of_the_memory_still_counts() -> None:
    assert LimitOptions(memory_mb=64).limits() == Limits(memory_bytes=64 * 2**20)
