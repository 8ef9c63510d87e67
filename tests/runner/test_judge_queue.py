"""From the section ``judge`` of an experiment to the judge's limits."""

from __future__ import annotations

from dataclasses import fields

from flextune.config import JudgeConfig
from flextune.judging import Limits
from flextune.runner.judge_queue import limits_of


def test_an_experiment_without_limits_has_those_of_the_judge() -> None:
    assert limits_of(JudgeConfig()) == Limits()


def test_memory_is_counted_in_mib() -> None:
    assert limits_of(JudgeConfig(memory_mib=64)).memory_bytes == 64 * 1024**2


def test_a_given_wall_clock_is_kept() -> None:
    assert limits_of(JudgeConfig(wall_seconds=7)).wall_limit == 7


def test_every_limit_can_be_given() -> None:
    config = JudgeConfig(
        processes=3, file_mib=4, tmp_mib=5, output_kib=6, open_files=17, compile_memory_mib=80
    )
    limits = limits_of(config)
    assert (limits.processes, limits.open_files, limits.output_bytes) == (3, 17, 6 * 1024)
    assert (limits.file_bytes, limits.tmp_bytes) == (4 * 2**20, 5 * 2**20)
    assert limits.compile_memory_bytes == 80 * 2**20
    assert {field.name for field in fields(Limits)} - set(JudgeConfig.model_fields) == {
        "memory_bytes",
        "file_bytes",
        "tmp_bytes",
        "output_bytes",
        "compile_memory_bytes",
    }
