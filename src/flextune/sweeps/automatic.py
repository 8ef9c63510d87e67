"""The automatic choice of an adapter's configuration: an experiment and a budget in, a sweep out."""

from __future__ import annotations

from typing import Any

from flextune.config import Experiment, make_experiment
from flextune.config.arms import NOT_OF_AN_ARM
from flextune.errors import FlextuneError, did_you_mean
from flextune.sweeps.space import own_value

#: What is moved where the experiment does not say: the ratio of two neighbouring values.
RATIOS = {"train.learning_rate": 2.0, "adapter.alpha": 2.0, "penalty.strength": 4.0}


def automatic_sweep(
    experiment: Experiment, budget: int, *, arm: str | None = None, by_loss: bool = False
) -> Experiment:
    """The experiment, or one arm of it, with a bracket around its own values.

    What is moved is what its section ``tune`` says; without one it is ``RATIOS``, as far as the experiment
    has these settings.

    Args:
        experiment: Without a sweep.
        budget: Configurations to train and judge.
        arm: The arm that is meant, where there are arms.
        by_loss: Choose by the validation loss; else by pass@1 on the choosing half.

    Raises:
        FlextuneError: It has a sweep, no such arm, or nothing that could be tuned.
    """
    if experiment.sweep is not None:
        raise FlextuneError(
            f"experiment {experiment.name!r} has a section sweep, which says what is tried: `flextune sweep`"
        )
    resolved = _arm(experiment, arm)
    if resolved.train is None:
        raise FlextuneError(f"arm {resolved.name!r} trains nothing: there is no adapter to tune")
    section = experiment.tune
    ratios = dict(section.settings) if section is not None else dict(RATIOS)
    given = next((a for a in experiment.arms if a.name == resolved.name), None)
    if section is not None and given is not None:
        ratios |= given.tune or {}
    keys = {key: ratio for key, ratio in ratios.items() if _is_positive(own_value(resolved, key))}
    sweep: dict[str, Any] = {
        "keys": keys,
        "search": "bracket",
        "trials": budget,
        "objective": "eval_loss" if by_loss else "pass@1",
    }
    if section is not None:
        sweep["seed"] = section.seed
    raw = resolved.model_dump(mode="json", exclude_unset=True, exclude=set(NOT_OF_AN_ARM))
    name = f"{experiment.name}-tuned" if arm is None else f"{experiment.name}-{arm}-tuned"
    where = {"where": resolved.evaluate[0].place} if len(resolved.evaluate) > 1 else {}
    return make_experiment({**raw, "name": name, "seeds": experiment.seeds, "sweep": {**sweep, **where}})


def _arm(experiment: Experiment, name: str | None) -> Experiment:
    arms = {arm.name: arm for arm in experiment.resolved_arms()}
    if name is None and len(arms) == 1:
        return next(iter(arms.values()))
    if name is None:
        raise FlextuneError(f"--arm: the experiment has several; name one of: {', '.join(arms)}")
    if name not in arms:
        raise FlextuneError(f"--arm: no arm {name!r}{did_you_mean(name, arms)} (arms: {', '.join(arms)})")
    return arms[name]


def _is_positive(value: Any) -> bool:
    return isinstance(value, float) and value > 0
