"""What an experiment compares its arms with."""

from __future__ import annotations

from flextune.config import ArmConfig, Experiment
from flextune.config.optimizers.adamw import AdamW

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
    """What to know about the baseline; empty where it is a base model, and the other arms are not."""
    arms = experiment.resolved_arms()
    base = next((arm for arm in arms if arm.train is None and arm.generate.adapter is None), None)
    if base is None:
        what = (
            f"arms are compared with {arms[0].name!r}, which is trained too"
            if len(arms) > 1
            else "there is nothing to compare with"
        )
        return (
            f"no arm is a base model: {what}; an arm {{name: {BASE}, train: null}} would show what training "
            "changed"
        )
    same = [arm.name for arm in arms if arm is not base and _content(arm) == _content(base)]
    return f"nothing is set that would make {', '.join(same)} differ from {base.name!r}" if same else ""


def _content(arm: Experiment) -> Experiment:
    """An arm without its name; one that trains nothing has no settings of a training either."""
    unused = {"adapter": None, "penalty": None, "optimizer": AdamW()} if arm.train is None else {}
    return arm.model_copy(update={"name": BASE, **unused})
