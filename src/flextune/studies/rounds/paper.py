"""What the paper reports, from ``paper.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import yaml

from flextune.report.sections import asset

Expected = Literal["rises", "falls", "same"]


@dataclass(frozen=True, slots=True)
class PaperScore:
    """One pass@1 of the paper.

    Attributes:
        arm: What stands for it in the experiments of the rounds.
        round: As the paper numbers it.
        what: The model, in a few words.
        benchmark: Where it was measured.
        language: Short name.
        percent: pass@1, as the paper has it.
        problems: Of the benchmark; the paper ran each model on them once.
    """

    arm: str
    round: str
    what: str
    benchmark: str
    language: str
    percent: float
    problems: int

    @property
    def rate(self) -> float:
        """pass@1, from 0 to 1."""
        return self.percent / 100


@dataclass(frozen=True, slots=True)
class PaperClaim:
    """A sentence of the paper that a comparison of two arms can contradict.

    Attributes:
        id: Unique.
        says: The sentence.
        where: In the paper.
        arm: The arm that it is about.
        baseline: What it is compared with.
        language: Of the evaluation.
        lexicon: On a benchmark of two wordings, the one in which the comparison is made.
        expects: What the comparison shows if the sentence holds.
    """

    id: str
    says: str
    where: str
    arm: str
    baseline: str
    language: str
    lexicon: str | None
    expects: Expected


@cache
def paper_scores() -> tuple[PaperScore, ...]:
    """Every pass@1 of table 2 and table 4, in the order of the rounds."""
    raw = _raw()
    return tuple(
        PaperScore(
            row["arm"],
            row["round"],
            row["what"],
            row["benchmark"],
            row["language"],
            row["percent"],
            raw["problems"][row["benchmark"]],
        )
        for row in raw["scores"]
    )


@cache
def paper_claims() -> tuple[PaperClaim, ...]:
    """The claims about pass@1, in the order of the rounds."""
    return tuple(PaperClaim(**{"lexicon": None, **_arms_named(row)}) for row in _raw()["claims"])


@dataclass(frozen=True, slots=True)
class TrainingClaim:
    """A sentence of the paper about trainings.

    Attributes:
        id: Unique.
        says: The sentence.
        where: In the paper.
        arm: The arm that it is about.
        baseline: What it is compared with.
        kind: ``sooner``, ``smoother`` or ``cheaper``.
        claim: Of ``sooner``: its name in the study of optimizers.
        at_most: Of ``cheaper``: the largest ratio of seconds a step with which it holds.
    """

    id: str
    says: str
    where: str
    arm: str
    baseline: str
    kind: Literal["sooner", "smoother", "cheaper"]
    claim: str = ""
    at_most: float = 1.0


@cache
def training_claims() -> tuple[TrainingClaim, ...]:
    """The claims about trainings."""
    return tuple(TrainingClaim(**_arms_named(row)) for row in _raw()["training_claims"])


def strengths() -> dict[float, str]:
    """Strengths of the penalty to the arms that have them, all else equal."""
    return {float(strength): arm for strength, arm in _raw()["strengths"].items()}


@cache
def _raw() -> Any:
    return yaml.safe_load(asset(__package__, "paper.yaml"))


def _arms_named(row: dict[str, Any]) -> dict[str, Any]:
    """``compare: [a, b]`` as the two fields that it stands for."""
    arm, baseline = row["compare"]
    return {
        **{key: value for key, value in row.items() if key != "compare"},
        "arm": arm,
        "baseline": baseline,
    }
