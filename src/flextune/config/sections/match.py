"""The section ``match``: arms whose update is given the norm of another arm's, before the seeds."""

from __future__ import annotations

from pydantic import Field

from flextune.config.arms import ArmConfig
from flextune.config.section import Float, Int, Section, Seed
from flextune.config.sections.tune import ResolvedArm, value_of


class MatchConfig(Section):
    """Shrinkage matched as it is measured: every arm with a `match` gets an update of this arm's norm."""

    arm: str = Field(description="Arm whose update sets the norm.")
    seed: Seed = Field(
        1000, description="Seed of the search's trainings; it must not be one of the experiment's seeds."
    )
    tolerance: Float = Field(0.02, gt=0, lt=1, description="Largest relative difference of the norms.")
    trainings: Int = Field(6, ge=2, description="Largest number of trainings per arm; the best is taken.")


def matched_setting(match: MatchConfig | None, arm: ArmConfig, resolved: ResolvedArm) -> float | None:
    """Where the search for an arm begins: its own value of the setting; None for one that is not matched.

    Raises:
        ValueError: Nothing to match with, a setting that the arm does not have or that is not a positive
            number, or one that is tuned.
    """
    key = arm.match
    if key is None:
        return None
    if match is None:
        raise ValueError(
            f"match: arm {arm.name!r} has one, and the experiment has no section match;"
            " add one that names an arm"
        )
    if resolved.train is None or arm.name == match.arm:
        what = "trains nothing" if resolved.train is None else "is the one that others are matched with"
        raise ValueError(f"match: arm {arm.name!r} {what}; remove its match")
    if key in (arm.tune or {}):
        raise ValueError(f"match: {key} of arm {arm.name!r} is tuned too; remove one of the two")
    value = value_of(resolved, key, what="match", example="penalty.strength")
    if not isinstance(value, float) or value <= 0:
        raise ValueError(f"match: {key} of arm {arm.name!r} is {value!r}, not a positive real number")
    return value
