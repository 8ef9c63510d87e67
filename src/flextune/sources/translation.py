"""The Python solutions of problems that are posed in another language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from flextune.config import EvaluateConfig
from flextune.errors import FlextuneError
from flextune.records import Problem
from flextune.registry import BENCHMARKS
from flextune.sources.benchmarks.base import Benchmark
from flextune.sources.loading import load_problems

#: ``HumanEval_12_longest`` and ``mbpp_3_is_not_prime``, as MultiPL-E names its problems.
_NUMBERED = re.compile(r"[A-Za-z]+_(\d+)_")


def python_solutions(
    part: EvaluateConfig, problems: Sequence[Problem], data_dir: Path | None
) -> dict[str, str]:
    """The Python program that solves each problem, by the problem's name.

    MultiPL-E's problems are joined to HumanEval's and MBPP's by the number in their names, Rosetta's by name.

    Args:
        part: The benchmark and language that the problems are of.
        problems: Those that are posed.
        data_dir: As for ``load_problems``.

    Raises:
        FlextuneError: The benchmark is in Python itself or not known to be a translation, or a problem has
            no Python solution.
    """
    if part.language == "py":
        raise FlextuneError(
            f"{part.name} py: its problems are in Python already, so there is nothing to translate; "
            "use another generate.prompt"
        )
    benchmark: Benchmark | None = None if part.path else BENCHMARKS.get(part.benchmark)
    if benchmark is None or benchmark.translates is None:
        known = ", ".join(n for n, b in BENCHMARKS.entries().items() if b.translates is not None)
        raise FlextuneError(
            f"{part.name}: its problems have no Python solutions here, so there is nothing to translate "
            f"(benchmarks that do: {known})"
        )
    python = EvaluateConfig(benchmark=benchmark.translates, language="py", lexicon=part.lexicon)
    originals = {
        original.name.rpartition("/")[2]: _program(original)
        for original in _originals(python, data_dir)
        if original.reference is not None
    }
    numbered = benchmark.translates != benchmark.name
    solutions = {p.name: originals.get(_number(p.name) if numbered else p.name) for p in problems}
    lacking = [name for name, solution in solutions.items() if solution is None]
    if lacking:
        raise FlextuneError(
            f"{part.label}: {benchmark.translates} has no Python solution for {len(lacking)} of "
            f"{len(problems)} problems, first {lacking[0]!r}"
        )
    return {name: solution for name, solution in solutions.items() if solution is not None}


def _originals(python: EvaluateConfig, data_dir: Path | None) -> list[Problem]:
    if python.benchmark != "mbpp":
        return load_problems(python, data_dir)
    # MultiPL-E translated tasks of all splits.
    from flextune.data import mbpp

    splits = (mbpp.problems(mbpp.read(data_dir, split=split)) for split in mbpp.SPLITS)
    return [problem for problems in splits for problem in problems]


def _number(name: str) -> str:
    """``0`` of ``HumanEval_0_has_close_elements``; the name where it has none."""
    found = _NUMBERED.match(name)
    return found[1] if found else name


def _program(original: Problem) -> str:
    """The reference as a whole program: MBPP's is one, other references follow their prompt."""
    reference = original.reference or ""
    whole = reference if original.benchmark == "mbpp" else original.prompt + reference
    return whole.replace("\r\n", "\n").strip("\n")
