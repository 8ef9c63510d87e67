"""Programs and answers for the judge, and its verdicts on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

import pytest

from flextune.judging import judge, language
from flextune.records import Completion, Problem, Verdict

Result = TypeVar("Result")


class Once(Protocol):
    """The fixture ``once``: what ``make`` gives, made by the first test of all that asks for ``name``."""

    def __call__(self, name: str, make: Callable[[], Result]) -> Result: ...


def needs_toolchain(tongue: str) -> None:
    """Skip the test where the language's tools are missing."""
    toolchain = language(tongue).toolchain()
    if not toolchain.found:
        pytest.skip(f"{toolchain.missing} is missing; {toolchain.install}")


def pair(tongue: str, source: str, name: str = "p", sample: int = 0) -> tuple[Problem, Completion]:
    """A problem and a completion whose program is ``source``."""
    return Problem(name, "test", tongue, "", ""), Completion(name, sample, source)


def verdicts_on(answers: Iterable[tuple[Problem, str]], **options: Any) -> list[Verdict]:
    """Verdicts on texts for problems, in their order."""
    pairs = [(problem, Completion(problem.name, n, text)) for n, (problem, text) in enumerate(answers)]
    return sorted(judge(pairs, **options), key=lambda verdict: verdict.sample)
