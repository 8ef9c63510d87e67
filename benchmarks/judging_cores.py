"""How the judge uses many cores: programs per second of 1, 2, 4, ... workers, up to one for each core."""

from __future__ import annotations

import itertools
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from flextune.judging import Judge
from flextune.judging.judge import processors
from flextune.records import Completion, Problem

Pair = tuple[Problem, Completion]
#: Programs for every worker that start its helper before the clock starts.
_WARM = 6
#: Seconds for all measurements together.
BUDGET_SECONDS = 75


@dataclass(frozen=True)
class Rate:
    """What one number of workers did.

    Attributes:
        workers: How many.
        per_second: Programs judged.
        own_milliseconds: CPU time of the judge's own process for each program.
        passed: Whether all programs passed, as they must.
    """

    workers: int
    per_second: float
    own_milliseconds: float
    passed: bool


def worker_counts(cores: int) -> list[int]:
    """1, 2, 4, ... and the number of cores."""
    return sorted({cores, *itertools.takewhile(lambda count: count < cores, (1 << n for n in range(20)))})


def unending(pairs: Sequence[Pair]) -> Iterator[Pair]:
    """The same programs again and again; a comment tells them apart, because identical ones run once."""
    for number in itertools.count():
        for problem, completion in pairs:
            yield problem, replace(completion, sample=number, text=f"{completion.text}\n# {number}")


def rate(pairs: Sequence[Pair], workers: int, seconds: float) -> Rate:
    """Judge right programs for some seconds."""
    programs = unending(pairs)
    with Judge(workers=workers) as judge:
        warm = list(judge.verdicts(itertools.islice(programs, _WARM * workers)))
        before, start = _own_seconds(), time.perf_counter()
        ended: list[bool] = []
        for verdict in judge.verdicts(programs):
            ended.append(verdict.passed)
            spent = time.perf_counter() - start
            if spent > seconds:
                break
        own = _own_seconds() - before
    passed = all(ended) and all(verdict.passed for verdict in warm)
    return Rate(workers, len(ended) / spent, own / len(ended) * 1e3, passed)


def rates(pairs: Sequence[Pair]) -> list[Rate]:
    """One for each number of workers; one worker is measured first and last."""
    counts = worker_counts(processors())
    seconds = BUDGET_SECONDS / (len(counts) + 1)
    measured = [rate(pairs, count, seconds) for count in counts]
    last = rate(pairs, 1, seconds)
    measured[0] = replace(
        measured[0],
        per_second=(measured[0].per_second + last.per_second) / 2,
        own_milliseconds=(measured[0].own_milliseconds + last.own_milliseconds) / 2,
    )
    return measured


def _own_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
