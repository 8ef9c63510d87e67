"""What a comparison of optimizers shows, in sentences; none says more than its interval."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from flextune.report.optimizers.groups import Arm, Group, finite
from flextune.report.optimizers.pairs import Pair, Race, pair
from flextune.statistics.means import Spread, mean_over_seeds, number

#: "30 % faster": at most this part of the reference's time.
FASTER = 0.7
RATE = "train.learning_rate"

Outcome = Literal["lower", "higher", "holds", "does not hold", "not decided"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the numbers say to one claim about one arm.

    Attributes:
        claim: ``final validation loss``, ``30 % faster`` or ``30 % fewer steps``.
        arm: Of which it is claimed.
        against: Its reference.
        outcome: As far as the interval goes.
        words: The numbers behind it.
    """

    claim: str
    arm: str
    against: str
    outcome: Outcome
    words: str

    @property
    def sentence(self) -> str:
        """All of it."""
        return f"{self.arm} against {self.against}, {self.claim}: {self.outcome} ({self.words})."


@dataclass(frozen=True, slots=True)
class Cause:
    """A contrast of two arms that differ in one thing.

    Attributes:
        what: The one thing.
        contrast: The arms, as a difference.
        loss: Difference of the final validation losses.
        outcome: ``lower``, ``higher`` or ``not decided``.
        words: The numbers behind it.
    """

    what: str
    contrast: str
    loss: Spread | None
    outcome: Outcome
    words: str

    @property
    def sentence(self) -> str:
        """All of it."""
        return f"{self.what} ({self.contrast}), final validation loss: {self.outcome} ({self.words})."


def verdicts(group: Group) -> list[Verdict]:
    """On every Sophia arm against its reference; an untuned one also against the untuned AdamW."""
    found: list[Verdict] = []
    for arm in (arm for arm in group.others() if arm.family.startswith("sophia")):
        for other in (group.reference, group.partner(arm)):
            if other is not None:
                found += _verdicts(pair(arm, other))
    return found


def causes(group: Group) -> list[Cause]:
    """What curvature, clipping and the learning rate do alone, each as a contrast paired by seed."""
    return [*_parts(group), *_rates(group)]


def tuning_notes(group: Group) -> list[str]:
    """AdamW's loss over the learning rates that were tried: what a rate alone is worth."""
    reference = group.reference
    if reference is None or not reference.tuned:
        return []
    tried = [(finite(t["settings"].get(RATE)), finite(t.get("eval_loss"))) for t in reference.tuned["trials"]]
    curve = sorted((rate, loss) for rate, loss in tried if rate is not None and loss is not None)
    if not curve:
        return []
    best, diverged = min(curve, key=lambda point: point[1]), len(tried) - len(curve)
    lowest, highest = (f"{number(loss, 4)} at {rate:g}" for rate, loss in (curve[0], curve[-1]))
    return [
        f"Learning rate alone ({reference.name} in its tuning, one seed, so no interval): validation loss "
        f"{number(best[1], 4)} at {best[0]:g}, the best of {len(tried)} tried; {lowest}, the lowest rate; "
        f"{highest}, the highest{f' that did not diverge ({diverged} did)' if diverged else ''}."
    ]


def below(spread: Spread | None, diverged: int) -> Outcome:
    """Whether a difference is below 0, above, or neither for certain.

    A diverged training has no loss to take part, so that the seeds left would speak for it: not decided.
    """
    if spread is None or spread.low is None or spread.high is None or diverged:
        return "not decided"
    if spread.high < 0:
        return "lower"
    return "higher" if spread.low > 0 else "not decided"


def faster(race: Race) -> Outcome:
    """Whether the time is at most ``FASTER`` of the other's.

    A seed that never reached the loss is no ratio, so with one of them the claim cannot hold; it fails where
    these seeds trained long enough to show that, and the ratios of the others (if any) are above as well.
    """
    long_enough = race.bound is None or race.bound >= FASTER
    if race.of < 2:
        return "not decided"
    if race.reached == 0:
        return "does not hold" if long_enough else "not decided"
    assert race.ratio is not None
    if race.ratio.low is None or race.ratio.high is None:
        return "not decided"
    if race.ratio.low > FASTER and long_enough:
        return "does not hold"
    return "holds" if race.ratio.high <= FASTER and race.reached == race.of else "not decided"


def _verdicts(found: Pair) -> Iterator[Verdict]:
    outcome, words = below(found.loss, found.diverged), _difference(found.loss, found.diverged)
    yield Verdict("final validation loss", found.arm, found.other, outcome, words)
    for claim, unit, held in (
        ("30 % faster", "seconds", found.seconds_to_loss),
        ("30 % fewer steps", "steps", found.steps_to_loss),
    ):
        yield Verdict(claim, found.arm, found.other, faster(held), _time(held, f"{found.other}'s {unit}"))


def _parts(group: Group) -> Iterator[Cause]:
    """Contrasts among the arms that are tuned, or not, as the reference is."""
    reference = group.reference
    if reference is None:
        return
    alike = [arm for arm in group.others() if bool(arm.tuned) == bool(reference.tuned)]
    constant = [arm for arm in alike if arm.family == "sophia-constant"]
    estimated = [arm for arm in alike if arm.family in ("sophia-g", "sophia-h")]
    for arm in estimated:
        # Of what differs in its averages too, curvature is not the one cause.
        same = [other for other in constant if _betas(other) == _betas(arm)]
        yield from (_cause("Curvature", arm, other, reference) for other in same)
    for first, arm in itertools.combinations(estimated, 2):
        if arm.family == first.family and _betas(arm) != _betas(first):
            what = f"Averages of {_betas(arm)}, not {_betas(first)}"
            yield _cause(what, arm, first, reference)
    yield from (_cause("Clipping, curvature constant", arm, reference, reference) for arm in constant)
    for arm in alike:
        if arm.family == "lion":
            yield _cause("Sign of the momentum", arm, reference, reference)


def _betas(arm: Arm) -> str:
    return " / ".join(f"{beta:g}" for beta in arm.optimizer.get("betas") or ())


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
        for tuned in (one for one in group.others() if one.tuned and one.family == arm.family):
            yield _interaction(arm, other, tuned, reference)


def _cause(what: str, arm: Arm, other: Arm, reference: Arm) -> Cause:
    found = pair(arm, other, reference)
    words, steps = _difference(found.loss, found.diverged), found.steps_to_loss
    if steps.ratio is not None:
        whose = f"{other.name}'s steps" + ("" if reference is other else f" to {reference.name}'s loss")
        words += f"; {_time(steps, whose)}"
    return Cause(what, f"{arm.name} − {other.name}", found.loss, below(found.loss, found.diverged), words)


def _interaction(arm: Arm, other: Arm, tuned: Arm, reference: Arm) -> Cause:
    """The untuned difference without the one that is left when both are tuned."""
    four = (arm, other, tuned, reference)
    seeds = [seed for seed in arm.numbers if all(seed in one.numbers for one in four)]
    diverged = sum(any(one.numbers[seed].diverged for one in four) for seed in seeds)
    losses = [[loss for one in four if (loss := one.numbers[seed].final_loss) is not None] for seed in seeds]
    spread = mean_over_seeds(row[0] - row[1] - (row[2] - row[3]) for row in losses if len(row) == 4)
    what = "What the untuned settings add"
    contrast = f"({arm.name} − {other.name}) − ({tuned.name} − {reference.name})"
    return Cause(what, contrast, spread, below(spread, diverged), _difference(spread, diverged))


def _difference(spread: Spread | None, diverged: int) -> str:
    lost = f"; diverged in {_seeds(diverged)}" if diverged else ""
    if spread is None:
        return f"no seed has both{lost}"
    return f"{spread.text(4, signed=True)}, {_counted(spread)}{lost}"


def _time(race: Race, whose: str) -> str:
    """``0.943 [0.901, 0.987] of adamw's steps, 5 seeds``."""
    if not race.of:
        return f"{whose} to its loss are not known"
    if race.ratio is None:
        return f"its loss was reached in 0 of {_seeds(race.of)}"
    shown = f"{race.ratio.text(3)} of {whose}"
    if race.reached == race.of:
        return f"{shown}, {_counted(race.ratio)}"
    single = ", no interval" if race.ratio.count == 1 else ""
    return f"{shown}, over the {race.reached} of {_seeds(race.of)} that reached its loss{single}"


def _counted(spread: Spread) -> str:
    return "one seed, no interval" if spread.count == 1 else _seeds(spread.count)


def _seeds(count: int) -> str:
    return f"{count} seed{'' if count == 1 else 's'}"
