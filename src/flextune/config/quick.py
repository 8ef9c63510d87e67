"""An experiment made small: does all of it work, before hours are spent on it?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flextune.config.arms import NOT_OF_AN_ARM
from flextune.config.experiment import Experiment
from flextune.config.overrides import merged
from flextune.config.validation import validate

# What a training may have at most, and what an evaluation.
_TRAINING = {
    "max_steps": 2,
    "limit": 24,
    "validation_size": 1,
    "batch_size": 2,
    "gradient_accumulation_steps": 1,
    "logging_steps": 1,
}
_PROBLEMS, _TOKENS, _TRIALS = 2, 24, 2


def quick(experiment: Experiment) -> Experiment:
    """Every arm, benchmark and decoding of an experiment, with one seed and next to no data.

    Its name ends in ``-quick``, so that its run is another one; its numbers mean nothing.
    """
    raw = experiment.model_dump(mode="json", exclude_unset=True)
    raw = merged(raw, _bounds(experiment.model_dump(mode="json")))
    raw |= {"name": f"{experiment.name}-quick", "seeds": list(experiment.seeds[:1])}
    if experiment.arms:
        raw["arms"] = [_small(arm) for arm in raw["arms"]]
    if experiment.tune is not None:
        raw["tune"] |= {"trainings": _TRIALS, "most": _TRIALS}
    return validate(Experiment, raw)


def _small(arm: Mapping[str, Any]) -> dict[str, Any]:
    """An arm with the bounds on the keys that it sets itself."""
    settings = {key: value for key, value in arm.items() if key not in NOT_OF_AN_ARM}
    return merged(arm, _bounds(settings))


def _bounds(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a raw experiment that are larger than they may be, with what they may be."""
    small: dict[str, Any] = {}
    if train := raw.get("train"):
        small["train"] = {key: _at_most(train[key], _TRAINING[key]) for key in _TRAINING if key in train}
    if evaluations := raw.get("evaluate"):
        small["evaluate"] = [{**one, "limit": _at_most(one.get("limit"), _PROBLEMS)} for one in evaluations]
    if decodings := raw.get("decode"):
        small["decode"] = [
            {**one, "max_new_tokens": _at_most(one.get("max_new_tokens"), _TOKENS)} for one in decodings
        ]
    return small


def _at_most(value: Any, bound: int) -> int:
    return bound if value is None else min(int(value), bound)
