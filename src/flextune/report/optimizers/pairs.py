"""Two arms, seed by seed: differences, ratios, and the time that each takes to one loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from flextune.report.optimizers.groups import Arm, Numbers, Validation
from flextune.statistics.means import Spread, exponential, mean_over_seeds, ratio_over_seeds

Clock = Literal["step", "seconds"]


@dataclass(frozen=True, slots=True)
class Race:
    """One arm's time to a loss, over another's.

    Attributes:
        ratio: Over the seeds that reached the loss; None where none did.
        reached: Seeds in which the first arm reached it.
        of: Seeds in which the other did, and the first arm was validated.
        bound: What the ratio is at least in every seed that did not reach it; 0 where nothing is known.
    """

    ratio: Spread | None
    reached: int
    of: int
    bound: float | None


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
        seconds: Ratio of the trainings' seconds.
        seconds_per_step: Ratio.
        memory: Ratio of the peaks.
        steps_to_loss: Race to the reference's lowest validation loss of the same seed, in steps.
        seconds_to_loss: The same in seconds of training, estimates included.
        diverged: Seeds in which one of the two diverged.
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


def pair(arm: Arm, other: Arm, reference: Arm | None = None) -> Pair:
    """Compare two arms.

    Args:
        arm: The first.
        other: What it is compared with.
        reference: Whose lowest loss they race to; None: the other's.
    """
    target = reference or other
    common = [(held, other.numbers[seed]) for seed, held in arm.numbers.items() if seed in other.numbers]
    loss = mean_over_seeds(differences(common, "final_loss"))
    return Pair(
        arm=arm.name,
        other=other.name,
        loss=loss,
        lowest=mean_over_seeds(differences(common, "lowest_loss")),
        loss_ratio=_ratio(common, "final_loss"),
        perplexity=exponential(loss),
        seconds=_ratio(common, "seconds"),
        seconds_per_step=_ratio(common, "seconds_per_step"),
        memory=_ratio(common, "memory"),
        steps_to_loss=race(arm, other, target, "step"),
        seconds_to_loss=race(arm, other, target, "seconds"),
        diverged=sum(ours.diverged or theirs.diverged for ours, theirs in common),
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
        ratio=ratio_over_seeds(ratios),
        reached=len(ratios),
        of=len(ratios) + len(bounds),
        bound=min(bounds, default=None),
    )


def differences(pairs: Sequence[tuple[Numbers, Numbers]], name: str) -> list[float]:
    """The first minus the second, over the pairs in which both are known."""
    return [ours - theirs for ours, theirs in _known(pairs, name)]


def _ratio(pairs: Sequence[tuple[Numbers, Numbers]], name: str) -> Spread | None:
    return ratio_over_seeds(ours / theirs for ours, theirs in _known(pairs, name) if ours > 0 and theirs > 0)


def _known(pairs: Sequence[tuple[Numbers, Numbers]], name: str) -> Iterator[tuple[float, float]]:
    for ours, theirs in pairs:
        first, second = getattr(ours, name), getattr(theirs, name)
        if first is not None and second is not None:
            yield first, second


def _seeds(arm: Arm, other: Arm, reference: Arm) -> Iterator[tuple[Numbers, Numbers, float]]:
    for seed, ours in arm.numbers.items():
        theirs, held = other.numbers.get(seed), reference.numbers.get(seed)
        if theirs and held and held.lowest_loss is not None and ours.validations:
            yield ours, theirs, held.lowest_loss
