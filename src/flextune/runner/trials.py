"""One training of an arm by itself, as searches need it before the seeds."""

from __future__ import annotations

from flextune.config import ArmConfig, Experiment, merged


def trial(
    arm: ArmConfig, experiment: Experiment, seed: int, validation_size: int | None = None
) -> Experiment:
    """One arm with one seed, and nothing to evaluate.

    Args:
        arm: With the values to try.
        experiment: Whose arm it is.
        seed: Of the training.
        validation_size: Validation examples at most; None: the arm's own.
    """
    settings = merged(arm.settings, {"evaluate": []})
    alone = {"arms": [arm.with_settings(settings)], "seeds": [seed], "tune": None, "match": None}
    unbounded = experiment.model_copy(update=alone)
    (resolved,) = unbounded.resolved_arms()
    if validation_size is None or resolved.train is None:
        return unbounded
    size = min(validation_size, resolved.train.validation_size)
    bounded = merged(settings, {"train": {"validation_size": size}})
    return unbounded.model_copy(update={"arms": [arm.with_settings(bounded)]})
