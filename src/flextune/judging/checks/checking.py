"""Are the problems sound: does the reference pass, does nothing else, and do the tests notice a mutant?"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from flextune.errors import FlextuneError
from flextune.judging.checks.mutants import Mutant, mutants
from flextune.judging.files import verdict_key
from flextune.judging.settings import JudgeSettings, note_missing_toolchains
from flextune.progress import Reporter
from flextune.records import UNKNOWN_OUTCOMES, Completion, Outcome, Problem, Verdict

#: A mutant gets so many times the slowest reference's time, a second at least: what needs more never ends.
_PATIENCE = 20

_REFERENCE, _EMPTY, _FIRST_MUTANT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Check:
    """What was found out about one problem.

    Attributes:
        problem: Its name.
        language: Its language.
        reference: What happened to the reference answer; anything but a pass is a fault of the problem.
        message: What it said, where it did not pass.
        empty: What happened to an empty completion; a pass is a fault of the tests.
        mutants: Changed references that ran.
        killed: Those that failed a test.
        survivors: The others, each as a line of what was changed; some may mean the same as the reference.
    """

    problem: str
    language: str
    reference: Outcome
    message: str
    empty: Outcome
    mutants: int = 0
    killed: int = 0
    survivors: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether the reference passes and nothing does not."""
        return self.reference == "passed" and self.empty != "passed"


def check_problems(
    problems: Sequence[Problem],
    settings: JudgeSettings,
    *,
    count: int,
    seed: int,
    reporter: Reporter,
) -> list[Check]:
    """Check every problem that has a reference, in their order.

    Args:
        problems: Those without a reference are left out.
        settings: How programs are judged.
        count: Mutants for each problem.
        seed: Chooses among the possible mutants; the same for each problem, whatever else is in the file.
        reporter: Told of the progress.

    Raises:
        FlextuneError: No problem has a reference.
    """
    referenced = [problem for problem in problems if problem.reference is not None]
    if not referenced:
        raise FlextuneError('no problem has a reference: give each row a right completion as its "reference"')
    note_missing_toolchains((problem.language for problem in referenced), reporter)
    pairs = []
    for problem in referenced:
        pairs.append((problem, Completion(problem.name, _REFERENCE, problem.reference or "")))
        pairs.append((problem, Completion(problem.name, _EMPTY, "")))
    found = _judged(pairs, settings, "references", reporter)
    passing = [p for p in referenced if found[p.language, p.name, _REFERENCE].outcome == "passed"]
    changed = {
        (p.language, p.name): mutants(p, count, random.Random(f"{seed} {p.language} {p.name}"))
        for p in passing
    }
    pairs = [
        (p, Completion(p.name, number, mutant.text))
        for p in passing
        for number, mutant in enumerate(changed[p.language, p.name], start=_FIRST_MUTANT)
    ]
    references = (found[p.language, p.name, _REFERENCE] for p in passing)
    found |= _judged(pairs, _less_patient(settings, references), "mutants", reporter)
    return [_check(p, changed.get((p.language, p.name), []), found) for p in referenced]


def _less_patient(settings: JudgeSettings, references: Iterable[Verdict]) -> JudgeSettings:
    slowest = max((verdict.cpu_seconds for verdict in references), default=0.0)
    seconds = min(settings.limits.cpu_seconds, max(1.0, _PATIENCE * slowest))
    return replace(settings, limits=replace(settings.limits, cpu_seconds=seconds))


_Found = dict[tuple[str, str, int], Verdict]


def _judged(
    pairs: list[tuple[Problem, Completion]], settings: JudgeSettings, label: str, reporter: Reporter
) -> _Found:
    found: _Found = {}
    stage = reporter.stage(f"judge {label}", len(pairs))
    try:
        with settings.judge() as own, closing(own.verdicts(pairs)) as verdicts:
            for verdict in verdicts:
                found[verdict_key(verdict)] = verdict
                stage.update(len(found), len(pairs))
    finally:
        stage.close()
    return found


def _check(problem: Problem, changed: list[Mutant], found: _Found) -> Check:
    def verdict(sample: int) -> Verdict:
        return found[problem.language, problem.name, sample]

    outcomes = [(mutant, verdict(n).outcome) for n, mutant in enumerate(changed, start=_FIRST_MUTANT)]
    # What the compiler refuses never met a test, and of a fault nothing is known.
    ran = [one for one in outcomes if one[1] != "compile_error" and one[1] not in UNKNOWN_OUTCOMES]
    survivors = tuple(str(mutant) for mutant, outcome in ran if outcome == "passed")
    reference = verdict(_REFERENCE)
    return Check(
        problem=problem.name,
        language=problem.language,
        reference=reference.outcome,
        message=reference.message,
        empty=verdict(_EMPTY).outcome,
        mutants=len(ran),
        killed=len(ran) - len(survivors),
        survivors=survivors,
    )
