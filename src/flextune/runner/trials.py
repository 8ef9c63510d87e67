"""One training of an arm by itself, as searches need it before the seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flextune.config import ArmConfig, Experiment, merged
from flextune.runner.work import Training
from flextune.runs.run import Run


class NotTrained(Exception):
    """Raised where a training would begin of which only the result was to be looked up."""


@dataclass(frozen=True, slots=True)
class SearchState:
    """How far a search is.

    Attributes:
        done: Trainings that it has.
        most: Trainings that it may take, those included; of a finished search those that it took.
        result: The experiment with what was found; None where the search is not finished.
    """

    done: int
    most: int
    result: Experiment | None


def only_look_up(run: Run) -> Callable[[Training], None]:
    """In place of what trains: refuses whatever is not finished in a run."""

    def look_up(training: Training) -> None:
        if not run.trained(training.key).finished:
            raise NotTrained

    return look_up


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
