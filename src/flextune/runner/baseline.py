"""What an experiment compares its arms with."""

from __future__ import annotations

from flextune.config import ArmConfig, Experiment

#: Name of the arm that is added.
BASE = "base"


def with_base_arm(experiment: Experiment) -> Experiment:
    """The experiment; one without arms gets the base model as a first arm, where it trains something.

    A score of a trained model alone does not say what the training changed.
    """
    if experiment.arms or experiment.train is None:
        return experiment
    own = ArmConfig(name=experiment.name)
    # The name is taken where the experiment has it.
    base = ArmConfig.model_validate(
        {"name": BASE if experiment.name != BASE else f"{BASE}-model", "train": None, "tune": None}
    )
    return experiment.model_copy(update={"arms": [base, own]})


def baseline_note(experiment: Experiment) -> str:
    """What a user should know about the baseline; empty where it is a base model."""
    arms = experiment.resolved_arms()
    if len(arms) < 2 or any(arm.train is None and arm.generate.adapter is None for arm in arms):
        return ""
    return (
        f"no arm is a base model: arms are compared with {arms[0].name!r}, which is trained too; "
        f"an arm {{name: {BASE}, train: null}} would show what training changed"
    )
