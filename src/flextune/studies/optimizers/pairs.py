"""Two arms, seed by seed: differences, ratios, and the time that each takes to one loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flextune.statistics.means import Spread, exponential, mean_over_seeds, ratio_over_seeds
from flextune.studies.optimizers.groups import Arm
from flextune.studies.optimizers.paper import Clock
from flextune.studies.optimizers.training_numbers import TrainingNumbers, Validation

#: Seeds that a ratio of seconds takes: with one, whatever else the machine did is in it.
TIMED_SEEDS = 2

#: The numbers of both arms with one seed.
SeedPair = tuple[TrainingNumbers, TrainingNumbers]


@dataclass(frozen=True, slots=True)
class Race:
    """One arm's time to a loss, over another's.

    Attributes:
        ratio: Over the seeds that reached the loss; None where none did, or too few for a ratio of
            seconds.
        reached: Seeds in which the first arm reached it.
        of: Seeds in which the other did, and the first arm was validated.
        bound: What the ratio is at least in every seed that did not reach it; 0 where nothing is known.
    """

    ratio: Spread | None
    reached: int
    of: int
    bound: float | None

    @property
    def too_few(self) -> bool:
        """Whether the loss was reached, but in too few seeds for a ratio of this clock."""
        return self.ratio is None and self.reached > 0


@dataclass(frozen=True, slots=True)
class Pair:
    """An arm and another, over the seeds that both have; differences are the first minus the other.

    Attributes:
        arm: The first.
        other: What it is compared with.
        loss: Difference of the final validation losses.
        lowest: Difference of the lowest ones.
        loss_ratio: Of the final validation losses.
        perplexity: Ratio; the same as ``exp`` of ``loss``.
        seconds: Ratio of the trainings' seconds; None below ``TIMED_SEEDS``.
        seconds_per_step: Ratio; None below ``TIMED_SEEDS``.
        memory: Ratio of the peaks.
        steps_to_loss: Race to the reference's lowest validation loss of the same seed, in steps.
        seconds_to_loss: The same in seconds of training, estimates included.
        diverged: Seeds in which one of the two diverged.
        too_few_timed: Whether both have times, but in too few seeds for a ratio of them.
    """

    arm: str
    other: str
    loss: Spread | None
    lowest: Spread | None
    loss_ratio: Spread | None
    perplexity: Spread | None
    seconds: Spread | None
    seconds_per_step: Spread | None
    memory: Spread | None
    steps_to_loss: Race
    seconds_to_loss: Race
    diverged: int
    too_few_timed: bool


def pair(arm: Arm, other: Arm, reference: Arm | None = None) -> Pair:
    """Compare two arms.

    Args:
        arm: The first.
        other: What it is compared with.
        reference: Whose lowest loss they race to; None: the other's.
    """
    target = reference or other
    common = [(ours, other.numbers[seed]) for seed, ours in arm.numbers.items() if seed in other.numbers]
    loss = mean_over_seeds(differences(common, "final_loss"))
    seconds, seconds_per_step = (_ratios(common, name) for name in ("seconds", "seconds_per_step"))
    return Pair(
        arm=arm.name,
        other=other.name,
        loss=loss,
        lowest=mean_over_seeds(differences(common, "lowest_loss")),
        loss_ratio=ratio_over_seeds(_ratios(common, "final_loss")),
        perplexity=exponential(loss),
        seconds=_time_ratio(seconds),
        seconds_per_step=_time_ratio(seconds_per_step),
        memory=ratio_over_seeds(_ratios(common, "memory")),
        steps_to_loss=race(arm, other, target, "step"),
        seconds_to_loss=race(arm, other, target, "seconds"),
        diverged=sum(ours.diverged or theirs.diverged for ours, theirs in common),
        too_few_timed=0 < len(seconds) < TIMED_SEEDS,
    )


def reach(validations: Sequence[Validation], loss: float) -> Validation | None:
    """Where a loss was reached first; None if it never was.

    Between two validations the loss is taken to fall on a straight line; seconds are None where one of
    the two has none. Nothing is read into a stretch that ends or begins with a loss that is no number.
    """
    before: Validation | None = None
    for now in validations:
        if now.loss is not None and now.loss <= loss:
            if before is None or before.loss is None:
                return now
            part = (before.loss - loss) / (before.loss - now.loss)
            step = before.step + part * (now.step - before.step)
            if before.seconds is None or now.seconds is None:
                return Validation(step, loss, None)
            return Validation(step, loss, before.seconds + part * (now.seconds - before.seconds))
        before = now
    return None


def race(arm: Arm, other: Arm, reference: Arm, clock: Clock) -> Race:
    """Both arms' way to the reference's lowest validation loss, seed by seed.

    A seed counts where the other arm got there in a known time above 0.
    """
    ratios, bounds = [], []
    for ours, theirs, target in _seeds(arm, other, reference):
        there = reach(theirs.validations, target)
        their_time = getattr(there, clock) if there is not None else None
        if not their_time:
            continue
        here = reach(ours.validations, target)
        if here is None:
            bounds.append((getattr(ours.validations[-1], clock) or 0.0) / their_time)
        elif getattr(here, clock):
            ratios.append(getattr(here, clock) / their_time)
    return Race(
        ratio=_time_ratio(ratios) if clock == "seconds" else ratio_over_seeds(ratios),
        reached=len(ratios),
        of=len(ratios) + len(bounds),
        bound=min(bounds, default=None),
    )


def differences(pairs: Sequence[SeedPair], name: str) -> list[float]:
    """The first minus the second, over the pairs in which both are known."""
    return [ours - theirs for ours, theirs in _known(pairs, name)]


def _ratios(pairs: Sequence[SeedPair], name: str) -> list[float]:
    return [ours / theirs for ours, theirs in _known(pairs, name) if ours > 0 and theirs > 0]


def _time_ratio(ratios: Sequence[float]) -> Spread | None:
    return ratio_over_seeds(ratios) if len(ratios) >= TIMED_SEEDS else None


def _known(pairs: Sequence[SeedPair], name: str) -> Iterator[tuple[float, float]]:
    for ours, theirs in pairs:
        first, second = getattr(ours, name), getattr(theirs, name)
        if first is not None and second is not None:
            yield first, second


def _seeds(arm: Arm, other: Arm, reference: Arm) -> Iterator[tuple[TrainingNumbers, TrainingNumbers, float]]:
    for seed, ours in arm.numbers.items():
        theirs, target = other.numbers.get(seed), reference.numbers.get(seed)
        if theirs and target and target.lowest_loss is not None and ours.validations:
            yield ours, theirs, target.lowest_loss
