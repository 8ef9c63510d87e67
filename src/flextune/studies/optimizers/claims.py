"""What a comparison of optimizers decides about the paper's claims; nothing beyond its interval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from flextune.report.formats import count, spread
from flextune.statistics.means import Spread
from flextune.studies.optimizers.families import family
from flextune.studies.optimizers.groups import Arm, Group
from flextune.studies.optimizers.pairs import TIMED_SEEDS, Pair, Race, pair
from flextune.studies.optimizers.paper import paper

LOSS = "final validation loss"

Decision = Literal["lower", "higher", "holds", "does not hold", "not decided"]


@dataclass(frozen=True, slots=True)
class ClaimVerdict:
    """What the numbers say to one claim about one arm.

    Attributes:
        claim: ``LOSS``, or the name of one of the paper's claims.
        arm: Of which it is claimed.
        against: Its reference.
        decision: As far as the interval goes.
        measured: The difference or the times behind it.
        words: The same as text.
    """

    claim: str
    arm: str
    against: str
    decision: Decision
    measured: Spread | Race | None
    words: str

    @property
    def sentence(self) -> str:
        """The claim, what is decided and, in brackets, why."""
        return f"{self.arm} against {self.against}, {self.claim}: {self.decision} ({self.words})."


def claim_verdicts(group: Group) -> list[ClaimVerdict]:
    """On every claimed arm against its reference; an untuned one also against the untuned AdamW.

    An arm with a shorter schedule has to end where the reference ends.
    """
    verdicts: list[ClaimVerdict] = []
    for arm in (arm for arm in group.others() if family(arm.family).claimed):
        for other in (group.reference, group.partner(arm)):
            if other is not None:
                planned = group.is_shorter(arm)
                verdicts += _of_plan(arm, other) if planned else _of_pair(pair(arm, other), group.clock)
    return verdicts


def below(difference: Spread | None, diverged: int) -> Decision:
    """Whether a difference is below 0, above, or neither for certain.

    A diverged training has no loss to take part, so that the seeds left would speak for it: not decided.
    """
    if difference is None or difference.low is None or difference.high is None or diverged:
        return "not decided"
    if difference.high < 0:
        return "lower"
    return "higher" if difference.low > 0 else "not decided"


def sooner(race: Race, at_most: float) -> Decision:
    """Whether a time is at most a part of the other's.

    A seed that never reached the loss is no ratio, so with one of them the claim cannot hold; it fails where
    these seeds trained long enough to show that, and the ratios of the others (if any) are above as well.

    Args:
        race: The times.
        at_most: The part.
    """
    long_enough = race.bound is None or race.bound >= at_most
    if race.of < 2:
        return "not decided"
    if race.reached == 0:
        return "does not hold" if long_enough else "not decided"
    if race.ratio is None or race.ratio.low is None or race.ratio.high is None:
        return "not decided"
    if race.ratio.low > at_most and long_enough:
        return "does not hold"
    return "holds" if race.ratio.high <= at_most and race.reached == race.of else "not decided"


def planned_sooner(loss: Decision, part: Spread | None, at_most: float) -> Decision:
    """Whether a training that was planned shorter ends lower, in at most a part of the other's time.

    Args:
        loss: Whether its final loss is below the other's.
        part: Its time over the other's.
        at_most: The part.
    """
    if loss == "higher":
        return "does not hold"
    if loss != "lower" or part is None or part.low is None or part.high is None:
        return "not decided"
    if part.low > at_most:
        return "does not hold"
    return "holds" if part.high <= at_most else "not decided"


def difference_text(difference: Spread | None, diverged: int) -> str:
    """``+0.0190 [+0.0094, +0.0286], 5 seeds``, and how many seeds diverged."""
    lost = f"; diverged in {count(diverged, 'seed')}" if diverged else ""
    if difference is None:
        return f"no seed has both{lost}"
    return f"{spread(difference, 4, signed=True)}, {_seeds(difference)}{lost}"


def race_text(race: Race, whose: str) -> str:
    """``0.943 [0.901, 0.987] of adamw's steps, 5 seeds``."""
    if not race.of:
        return f"{whose} to its loss are not known"
    reached = f"its loss was reached in {race.reached} of {count(race.of, 'seed')}"
    if race.too_few:
        return f"{reached}; a ratio of times takes {TIMED_SEEDS} or more"
    if race.ratio is None:
        return reached
    ratio = f"{spread(race.ratio, 3)} of {whose}"
    if race.reached == race.of:
        return f"{ratio}, {_seeds(race.ratio)}"
    single = ", no interval" if race.ratio.count == 1 else ""
    return f"{ratio}, over the {race.reached} of {count(race.of, 'seed')} that reached its loss{single}"


def _of_plan(arm: Arm, other: Arm) -> Iterator[ClaimVerdict]:
    """The claims about time, of an arm with a shorter schedule: it has to end with a lower loss."""
    compared = pair(arm, other)
    loss, diverged = compared.loss, compared.diverged
    steps = Spread(
        arm.steps / other.steps, arm.steps / other.steps, arm.steps / other.steps, len(arm.numbers)
    )
    words = f"{LOSS} {difference_text(loss, diverged)}"
    for claim in paper().claims:
        part = compared.seconds if claim.clock == "seconds" else steps
        decision = planned_sooner(below(loss, diverged), part, claim.at_most)
        name = f"{claim.name}, with a schedule of {arm.steps} steps, not {other.steps}"
        yield ClaimVerdict(name, arm.name, other.name, decision, loss, words)


def _of_pair(compared: Pair, clock: str) -> Iterator[ClaimVerdict]:
    loss, diverged = compared.loss, compared.diverged
    words = difference_text(loss, diverged)
    yield ClaimVerdict(LOSS, compared.arm, compared.other, below(loss, diverged), loss, words)
    for claim in paper().claims:
        seconds = claim.clock == "seconds"
        race = compared.seconds_to_loss if seconds else compared.steps_to_loss
        words = race_text(race, f"{compared.other}'s {clock if seconds else 'steps'}")
        decision = sooner(race, claim.at_most)
        yield ClaimVerdict(claim.name, compared.arm, compared.other, decision, race, words)


def _seeds(mean: Spread) -> str:
    return "one seed, no interval" if mean.count == 1 else count(mean.count, "seed")
