"""From the section ``judge`` of an experiment to the judge's limits."""

from __future__ import annotations

from flextune.config import JudgeConfig
from flextune.judging import Limits
from flextune.runner.judge_queue import limits_of


def test_an_experiment_without_limits_has_those_of_the_judge() -> None:
    assert limits_of(JudgeConfig()) == Limits()


def test_memory_is_counted_in_mib() -> None:
    assert limits_of(JudgeConfig(memory_mib=64)).memory_bytes == 64 * 1024**2


def test_a_given_wall_clock_is_kept() -> None:
    assert limits_of(JudgeConfig(wall_seconds=7)).wall_limit == 7
