"""What a judged program may use."""

from __future__ import annotations

from dataclasses import replace

from flextune.judging import Limits


def test_the_wall_clock_follows_from_the_cpu_limit() -> None:
    assert Limits().wall_limit == 60
    assert Limits(cpu_seconds=100).wall_limit == 600
    assert replace(Limits(), cpu_seconds=1).wall_limit == 6


def test_a_given_wall_clock_stays() -> None:
    assert replace(Limits(wall_seconds=7), cpu_seconds=100).wall_limit == 7


def test_a_compiler_has_a_wall_clock_of_its_own() -> None:
    assert Limits(cpu_seconds=1, compile_seconds=20).for_compiling().wall_limit == 60
