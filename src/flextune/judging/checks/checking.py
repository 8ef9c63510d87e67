"""Are the problems sound: does the reference pass, does nothing else, and do the tests notice a mutant?"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from flextune.errors import FlextuneError
from flextune.judging.checks.mutants import Mutant, mutants
from flextune.judging.settings import JudgeSettings, note_missing_toolchains, with_progress
from flextune.judging.verdict_files import Identity, identity
from flextune.progress import Reporter, Silent
from flextune.records import UNKNOWN_OUTCOMES, Completion, Outcome, Problem, Verdict

#: A mutant gets this many times the slowest reference's CPU time, and at least a second: what needs more
#: never ends.
_PATIENCE = 20

_REFERENCE, _EMPTY, _FIRST_MUTANT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Check:
    """What the judge showed about one problem's reference and tests.

    Attributes:
        problem: Its name.
        language: Its language.
        reference: What happened to the reference answer; anything but a pass is a fault of the problem.
        message: What the reference or its compiler said, where it did not pass.
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
        """Whether the reference passes and an empty completion does not."""
        return self.reference == "passed" and self.empty != "passed"


def check_problems(
    problems: Sequence[Problem],
    settings: JudgeSettings | None = None,
    *,
    count: int = 10,
    seed: int = 0,
    reporter: Reporter | None = None,
) -> list[Check]:
    """Check every problem that has a reference: ``flextune check-problems`` as a call.

    Args:
        problems: Those without a reference are left out.
        settings: How programs are judged.
        count: Mutants for each problem.
        seed: Chooses among the possible mutants; the same for each problem, whatever else is in the file.
        reporter: Told of missing toolchains and progress.

    Returns:
        One check for each problem with a reference, in their order.

    Raises:
        FlextuneError: No problem has a reference.
    """
    settings, reporter = settings or JudgeSettings(), reporter or Silent()
    referenced = [problem for problem in problems if problem.reference is not None]
    if not referenced:
        raise FlextuneError('no problem has a reference: give each row a right completion as its "reference"')
    note_missing_toolchains((problem.language for problem in referenced), reporter)
    pairs = []
    for problem in referenced:
        pairs.append((problem, Completion(problem.name, _REFERENCE, problem.reference or "")))
        pairs.append((problem, Completion(problem.name, _EMPTY, "")))
    verdicts = _judged(pairs, settings, "references", reporter)
    passing = [p for p in referenced if verdicts[p.language, p.name, _REFERENCE].passed]
    changed = {
        (p.language, p.name): mutants(p, count, random.Random(f"{seed} {p.language} {p.name}"))
        for p in passing
    }
    pairs = [
        (p, Completion(p.name, number, mutant.text))
        for p in passing
        for number, mutant in enumerate(changed[p.language, p.name], start=_FIRST_MUTANT)
    ]
    references = (verdicts[p.language, p.name, _REFERENCE] for p in passing)
    verdicts |= _judged(pairs, _less_patient(settings, references), "mutants", reporter)
    return [_check(p, changed.get((p.language, p.name), []), verdicts) for p in referenced]


def _less_patient(settings: JudgeSettings, references: Iterable[Verdict]) -> JudgeSettings:
    slowest = max((verdict.cpu_seconds for verdict in references), default=0.0)
    seconds = min(settings.limits.cpu_seconds, max(1.0, _PATIENCE * slowest))
    # A mutant of a reference that sleeps sleeps, too: the wall clock stays.
    limits = replace(settings.limits, cpu_seconds=seconds, wall_seconds=settings.limits.wall_limit)
    return replace(settings, limits=limits)


def _judged(
    pairs: list[tuple[Problem, Completion]], settings: JudgeSettings, label: str, reporter: Reporter
) -> dict[Identity, Verdict]:
    with settings.judge() as judge:
        verdicts = with_progress(judge.verdicts(pairs), reporter, f"judge {label}", len(pairs))
        with closing(verdicts):
            return {identity(verdict): verdict for verdict in verdicts}


def _check(problem: Problem, changed: list[Mutant], verdicts: dict[Identity, Verdict]) -> Check:
    def verdict(sample: int) -> Verdict:
        return verdicts[problem.language, problem.name, sample]

    outcomes = [(mutant, verdict(n).outcome) for n, mutant in enumerate(changed, start=_FIRST_MUTANT)]
    # What the compiler refuses never met a test, and of a fault nothing is known.
    ran = [pair for pair in outcomes if pair[1] != "compile_error" and pair[1] not in UNKNOWN_OUTCOMES]
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
