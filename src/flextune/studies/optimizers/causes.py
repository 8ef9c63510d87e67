"""What curvature, clipping and the learning rate do alone: contrasts of arms that differ in one thing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from flextune.report import settings_text
from flextune.report.formats import number
from flextune.statistics.means import Spread, mean_over_seeds
from flextune.studies.optimizers.claims import LOSS, Decision, below, difference_text, race_text
from flextune.studies.optimizers.families import REFERENCE, family
from flextune.studies.optimizers.groups import Arm, Group
from flextune.studies.optimizers.pairs import pair
from flextune.studies.optimizers.training_numbers import finite

RATE, GAMMA = "train.learning_rate", "optimizer.gamma"
#: Below this win rate, in A and in B, curvature has next to no part in a step.
SIGN_DESCENT = 0.1


@dataclass(frozen=True, slots=True)
class Cause:
    """A contrast of two arms that differ in one thing.

    Attributes:
        what: The one thing.
        contrast: The arms, as a difference.
        loss: Difference of the final validation losses.
        decision: ``lower``, ``higher`` or ``not decided``.
        words: The numbers behind it.
    """

    what: str
    contrast: str
    loss: Spread | None
    decision: Decision
    words: str

    @property
    def sentence(self) -> str:
        """The contrast, what is decided and, in brackets, why."""
        return f"{self.what} ({self.contrast}), {LOSS}: {self.decision} ({self.words})."


def causes(group: Group) -> list[Cause]:
    """Every contrast that the group's arms allow, each paired by seed."""
    return [*_parts(group), *_schedules(group), *_rates(group)]


def notes(group: Group) -> list[str]:
    """What the tuning shows beside its best values: what a rate alone is worth, who lost its curvature."""
    return [*tuning_notes(group), *(_sign_descent(arm) for arm in group.arms if _is_sign_descent(arm))]


def _is_sign_descent(arm: Arm) -> bool:
    rates = _win_rates(arm)
    return family(arm.family).role == "estimated curvature" and bool(rates) and max(rates) < SIGN_DESCENT


def _win_rates(arm: Arm) -> list[float]:
    means = (mean_over_seeds(arm.values(name)) for name in ("win_rate_a", "win_rate_b"))
    return [mean.value for mean in means if mean is not None]


def _sign_descent(arm: Arm) -> str:
    shares = " and ".join(number(100 * rate, 1) for rate in _win_rates(arm))
    tuned = " that tuning chose" if GAMMA in (arm.tuned.get("settings") or {}) else ""
    return (
        f"Sign descent ({arm.name}): with the gamma{tuned}, {settings_text.plain(arm.gamma)}, only {shares} %"
        f" of the coordinates of A and B are not clipped. Its steps are signs of averages of {arm.betas};"
        " curvature has next to no part in them."
    )


def tuning_notes(group: Group) -> list[str]:
    """AdamW's loss over the learning rates that were tried: what a rate alone is worth."""
    reference = group.reference
    if reference is None or not reference.tuned:
        return []
    rows = reference.tuned["trials"]
    trials = [(finite(row["settings"].get(RATE)), finite(row.get("eval_loss"))) for row in rows]
    curve = sorted((rate, loss) for rate, loss in trials if rate is not None and loss is not None)
    if not curve:
        return []
    best, diverged = min(curve, key=lambda point: point[1]), len(trials) - len(curve)
    lowest, highest = (f"{number(loss, 4)} at {rate:g}" for rate, loss in (curve[0], curve[-1]))
    return [
        f"Learning rate alone ({reference.name} in its tuning, one seed, so no interval): validation loss "
        f"{number(best[1], 4)} at {best[0]:g}, the best of {len(trials)} tried; {lowest}, the lowest rate; "
        f"{highest}, the highest{f' that did not diverge ({diverged} did)' if diverged else ''}."
    ]


def _parts(group: Group) -> Iterator[Cause]:
    """Contrasts among the arms that are tuned, or not, as the reference is."""
    reference = group.reference
    if reference is None:
        return
    alike = [
        arm
        for arm in group.peers(reference)
        if arm is not reference and bool(arm.tuned) == bool(reference.tuned)
    ]
    constant, estimated, sign = (
        [arm for arm in alike if family(arm.family).role == role]
        for role in ("constant curvature", "estimated curvature", "sign")
    )
    for arm in estimated:
        # Of what differs in its averages too, curvature is not the one cause.
        same = [other for other in constant if other.betas == arm.betas]
        yield from (_cause("Curvature", arm, other, reference) for other in same)
    for first, arm in itertools.combinations(estimated, 2):
        if arm.family == first.family and (what := _apart(arm, first)):
            yield _cause(what, arm, first, reference)
    others = [arm for arm in alike if arm.family == REFERENCE and arm.betas != reference.betas]
    for arm in others:
        yield _cause(f"Averages of {arm.betas}, not {reference.betas}", arm, reference, reference)
        for other in (*constant, *estimated):
            if _momentum(other) == _momentum(arm):
                what = f"{family(other.family).label}'s step at one momentum of {_momentum(arm):g}"
                yield _cause(what, other, arm, reference)
    yield from (_cause("Clipping, curvature constant", arm, reference, reference) for arm in constant)
    yield from (_cause("Sign of the momentum", arm, reference, reference) for arm in sign)


def _apart(arm: Arm, first: Arm) -> str:
    """In what two arms of one Sophia differ, the learning rate apart."""
    betas = f"averages of {arm.betas}, not {first.betas}" if arm.betas != first.betas else ""
    gamma = f"gamma {arm.gamma:g}, not {first.gamma:g}" if arm.gamma != first.gamma else ""
    text = "; ".join(part for part in (betas, gamma) if part)
    return text[:1].upper() + text[1:]


def _momentum(arm: Arm) -> float | None:
    betas = arm.optimizer.get("betas") or ()
    return betas[0] if betas else None


def _schedules(group: Group) -> Iterator[Cause]:
    """Arms with shorter schedules among themselves: the same number of steps for all."""
    for other in group.arms:
        if other.family == REFERENCE and group.is_shorter(other):
            for arm in group.peers(other):
                if arm is not other:
                    what = f"With schedules of {arm.steps} steps for both"
                    yield _cause(what, arm, other, other, race=False)


def _rates(group: Group) -> Iterator[Cause]:
    """The untuned pairs: what their settings make of the comparison, against the same with both tuned."""
    reference = group.reference
    if reference is None:
        return
    pairs = [(arm, other) for arm in group.others() if (other := group.partner(arm)) is not None]
    for other in {other.name: other for _, other in pairs}.values():
        yield _cause("Tuning AdamW", reference, other, other)
    for arm, other in pairs:
        yield _cause("Both at their untuned settings", arm, other, other)
        for tuned in (one for one in group.peers(reference) if one.tuned and one.family == arm.family):
            yield _interaction(arm, other, tuned, reference)


def _cause(what: str, arm: Arm, other: Arm, reference: Arm, *, race: bool = True) -> Cause:
    compared = pair(arm, other, reference)
    loss, diverged, steps = compared.loss, compared.diverged, compared.steps_to_loss
    words = difference_text(loss, diverged)
    if race and steps.ratio is not None:
        whose = f"{other.name}'s steps" + ("" if reference is other else f" to {reference.name}'s loss")
        words += f"; {race_text(steps, whose)}"
    return Cause(what, f"{arm.name} − {other.name}", loss, below(loss, diverged), words)


def _interaction(arm: Arm, other: Arm, tuned: Arm, reference: Arm) -> Cause:
    """The untuned difference without the one that is left when both are tuned."""
    four = (arm, other, tuned, reference)
    seeds = [seed for seed in arm.numbers if all(seed in one.numbers for one in four)]
    diverged = sum(any(one.numbers[seed].diverged for one in four) for seed in seeds)
    losses = [[loss for one in four if (loss := one.numbers[seed].final_loss) is not None] for seed in seeds]
    difference = mean_over_seeds(row[0] - row[1] - (row[2] - row[3]) for row in losses if len(row) == 4)
    return Cause(
        what="What the untuned settings add",
        contrast=f"({arm.name} − {other.name}) − ({tuned.name} − {reference.name})",
        loss=difference,
        decision=below(difference, diverged),
        words=difference_text(difference, diverged),
    )
