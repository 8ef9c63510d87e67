"""What a run's trainings say to the paper's claims about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flextune.report.formats import spread
from flextune.report.run_data import RunData, TrainedAdapter
from flextune.statistics.means import Spread, mean_over_seeds, ratio_over_seeds
from flextune.studies.optimizers.claims import claim_verdicts as optimizer_verdicts
from flextune.studies.optimizers.groups import optimizer_groups
from flextune.studies.optimizers.pairs import TIMED_SEEDS
from flextune.studies.optimizers.training_numbers import training_numbers
from flextune.studies.rounds.claims import ClaimVerdict, Decision
from flextune.studies.rounds.paper import TrainingClaim, training_claims

#: By seed.
Trainings = Mapping[str, TrainedAdapter]


def training_verdicts(run: RunData) -> list[ClaimVerdict]:
    """On every claim about trainings whose arms the run trained."""
    return [
        _VERDICTS[claim.kind](claim, run)
        for claim in training_claims()
        if _trainings(run, claim.arm) and _trainings(run, claim.baseline)
    ]


def _sooner(claim: TrainingClaim, run: RunData) -> ClaimVerdict:
    for group in optimizer_groups(run):
        for verdict in optimizer_verdicts(group):
            if (verdict.arm, verdict.against, verdict.claim) == (claim.arm, claim.baseline, claim.claim):
                decided: dict[str, Decision] = {"holds": "holds", "does not hold": "does not hold"}
                return ClaimVerdict(
                    claim, decided.get(verdict.decision, "cannot be told here"), verdict.words
                )
    return ClaimVerdict(claim, "was not measured", "the two trainings differ in more than the optimizer")


def _smoother(claim: TrainingClaim, run: RunData) -> ClaimVerdict:
    """Paired by seed: the share of power above half of Nyquist, the mean over matrices."""
    shares = [
        (first, second)
        for ours, theirs in _pairs(claim, run)
        if (first := _high_share(ours)) is not None and (second := _high_share(theirs)) is not None
    ]
    difference = mean_over_seeds(100 * (ours - theirs) for ours, theirs in shares)
    words = f"share of the power above half of Nyquist: {spread(difference, 1, signed=True)} points"
    return ClaimVerdict(claim, _below(difference, 0.0), words)


def _cheaper(claim: TrainingClaim, run: RunData) -> ClaimVerdict:
    ratios = [
        ours / theirs
        for ours, theirs in (
            (training_numbers(a.log).seconds_per_step, training_numbers(b.log).seconds_per_step)
            for a, b in _pairs(claim, run)
        )
        if ours and theirs
    ]
    ratio = ratio_over_seeds(ratios) if len(ratios) >= TIMED_SEEDS else None
    words = f"{spread(ratio, 3)} of {claim.baseline}'s seconds a step"
    return ClaimVerdict(claim, _below(ratio, claim.at_most), words)


_VERDICTS: dict[str, Callable[[TrainingClaim, RunData], ClaimVerdict]] = {
    "sooner": _sooner,
    "smoother": _smoother,
    "cheaper": _cheaper,
}


def _below(measured: Spread | None, bound: float) -> Decision:
    if measured is None or measured.low is None or measured.high is None:
        return "cannot be told here"
    if measured.high < bound:
        return "holds"
    return "does not hold" if measured.low > bound else "cannot be told here"


def _pairs(claim: TrainingClaim, run: RunData) -> list[tuple[TrainedAdapter, TrainedAdapter]]:
    ours, theirs = _trainings(run, claim.arm), _trainings(run, claim.baseline)
    return [(training, theirs[seed]) for seed, training in ours.items() if seed in theirs]


def _trainings(run: RunData, arm: str) -> Trainings:
    return {training.seed: training for training in run.trainings if arm in training.arms}


def _high_share(training: TrainedAdapter) -> float | None:
    shares = [row["high_share"] for row in training.matrices if row.get("high_share") is not None]
    return sum(shares) / len(shares) if shares else None
