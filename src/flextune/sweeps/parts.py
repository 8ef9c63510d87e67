"""The problems of the deciding evaluation in parts: the choosing half, perhaps in three, and the other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from flextune.config import EvaluateConfig
from flextune.errors import FlextuneError
from flextune.files.objects import read_object, write_object
from flextune.records import Problem, Score
from flextune.statistics.selection.halves import Halves, in_order, split
from flextune.statistics.tally import tally

#: Shares of the choosing half after which a configuration may be given up.
RUNGS = (0.25, 0.5, 1.0)
#: Fewer problems leave a half that says nothing.
FEWEST = 4


@dataclass(frozen=True)
class Parts:
    """The halves of the deciding evaluation.

    Attributes:
        deciding: The evaluation.
        halves: Its problems.
        seed: Of the split.
    """

    deciding: EvaluateConfig
    halves: Halves
    seed: int

    def choosing(self, *, pruned: bool) -> list[frozenset[str]]:
        """The choosing half, or its parts one after another."""
        names = in_order(self.halves.choosing, self.seed)
        if not pruned:
            return [frozenset(names)]
        ends = sorted({max(round(share * len(names)), 1) for share in RUNGS})
        return [frozenset(names[start:end]) for start, end in zip([0, *ends[:-1]], ends, strict=True)]

    def only(self, names: Collection[str]) -> _Only:
        """Keeps these problems of the deciding evaluation, and nothing of others."""
        return _Only(self.deciding, frozenset(names), frozenset())

    @property
    def reported(self) -> _Only:
        """The reporting half, and of other evaluations what has no namesake in the choosing half."""
        return _Only(self.deciding, self.halves.reporting, self.halves.choosing)


@dataclass(frozen=True)
class _Only:
    """Which problems of an evaluation count; called while planning."""

    deciding: EvaluateConfig
    names: frozenset[str]
    not_elsewhere: frozenset[str]

    def __call__(self, part: EvaluateConfig, problems: list[Problem]) -> list[Problem]:
        if part == self.deciding:
            return [problem for problem in problems if problem.name in self.names]
        return [problem for problem in problems if problem.name not in self.not_elsewhere]


def split_by(baseline: Score, deciding: EvaluateConfig, seed: int, file: Path) -> Parts:
    """The halves, stratified by what the baseline passed; made once and kept in ``file``.

    Args:
        baseline: On the deciding evaluation.
        deciding: That evaluation.
        seed: Of the split.
        file: Where they are kept: verdicts that are judged again do not move a problem.

    Raises:
        FlextuneError: Too few problems.
    """
    kept = read_object(file)
    if kept:
        return Parts(deciding, Halves(frozenset(kept["choosing"]), frozenset(kept["reporting"])), seed)
    counts = tally(baseline)
    every = {name for runs in baseline.outcomes.values() for name in runs}
    if len(every) < FEWEST:
        raise FlextuneError(
            f"sweep: {deciding.label} has {len(every)} problems; a sweep needs {FEWEST} to choose by one half"
            " and report on the other"
        )
    rates = dict(zip(counts.problems, counts.exact_rates(), strict=True))
    halves = split({name: float(rates.get(name, -1)) for name in sorted(every)}, seed)
    write_object(file, {"choosing": sorted(halves.choosing), "reporting": sorted(halves.reporting)})
    return Parts(deciding, halves, seed)
