"""Programs and answers for the judge, and its verdicts on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

import pytest

from flextune.judging import Judge
from flextune.judging import language as language_of
from flextune.records import Completion, Problem, Verdict

Result = TypeVar("Result")
#: Warm judges at once. Each keeps a compile server for every language that it met.
KEPT = 3

#: The test that runs.
running: pytest.Item | None = None
_judges: dict[tuple[object, ...], Judge] = {}


class Once(Protocol):
    """The fixture ``once``: what ``make`` gives, made by the first test of all that asks for ``name``."""

    def __call__(self, name: str, make: Callable[[], Result]) -> Result: ...


def needs_toolchain(language: str) -> None:
    """Skip the test where the language's tools are missing; fail it where its mark is."""
    if language != "py" and running is not None and running.get_closest_marker("toolchain") is None:
        pytest.fail(f"a test that needs {language} must be marked: @pytest.mark.toolchain")
    toolchain = language_of(language).toolchain()
    if not toolchain.found:
        pytest.skip(f"{toolchain.missing} is missing; {toolchain.install}")


def pair(language: str, source: str, name: str = "p", sample: int = 0) -> tuple[Problem, Completion]:
    """A problem and a completion whose program is ``source``."""
    return Problem(name, "test", language, "", ""), Completion(name, sample, source)


def judged_warm(pairs: Iterable[tuple[Problem, Completion]], **settings: Any) -> list[Verdict]:
    """Verdicts of a judge that stays for later tests with the same settings, with all that it has started.

    It remembers programs, too: a test of what a judge does makes its own.

    Args:
        pairs: Problems and completions.
        **settings: Arguments of ``Judge``.
    """
    key = tuple(sorted(settings.items()))
    kept = _judges.pop(key, None) or Judge(**settings)
    # The one that was used last is the last.
    _judges[key] = kept
    while len(_judges) > KEPT:
        _judges.pop(next(iter(_judges))).close()
    return list(kept.verdicts(pairs))


def close_judges() -> None:
    """End what ``judged_warm`` has kept."""
    while _judges:
        _judges.popitem()[1].close()


def verdicts_on(answers: Iterable[tuple[Problem, str]], **settings: Any) -> list[Verdict]:
    """Verdicts on texts for problems, in their order; ``settings`` as for ``judged_warm``."""
    pairs = [(problem, Completion(problem.name, n, text)) for n, (problem, text) in enumerate(answers)]
    return sorted(judged_warm(pairs, **settings), key=lambda verdict: verdict.sample)
