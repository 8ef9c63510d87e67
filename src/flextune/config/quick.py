"""An experiment made small: does all of it work, before hours are spent on it?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
_PROBLEMS, _TOKENS, _SAMPLES, _TRIALS = 2, 24, 2, 2


def quick(experiment: Experiment) -> Experiment:
    """Every arm, benchmark and decoding of an experiment, with one seed and next to no data.

    Its name ends in ``-quick``, so that its run is another one; its numbers mean nothing.
    """
    raw = experiment.model_dump(mode="json", exclude_unset=True)
    raw = merged(raw, _bounds(experiment))
    raw |= {"name": f"{experiment.name}-quick", "seeds": list(experiment.seeds[:1])}
    if experiment.arms:
        resolved = experiment.resolved_arms()
        raw["arms"] = [_small(arm, small) for arm, small in zip(raw["arms"], resolved, strict=True)]
    if experiment.tune is not None:
        raw["tune"] |= {"trainings": _TRIALS, "most": _TRIALS}
    if experiment.match is not None:
        raw["match"] |= {"trainings": _TRIALS}
    return validate(Experiment, raw)


def _small(arm: Mapping[str, Any], resolved: Experiment) -> dict[str, Any]:
    """An arm with the bounds on the sections that it sets itself."""
    own = {key: bound for key, bound in _bounds(resolved).items() if arm.get(key) is not None}
    return merged(arm, own)


def _bounds(experiment: Experiment) -> dict[str, Any]:
    """What an experiment, or a resolved arm, may have at most."""
    small: dict[str, Any] = {
        "evaluate": [
            {**part.model_dump(mode="json"), "limit": _at_most(part.limit, _PROBLEMS)}
            for part in experiment.evaluate
        ],
        "decode": [
            {
                **decode.model_dump(mode="json"),
                "n": min(decode.n, _SAMPLES),
                "max_new_tokens": min(decode.max_new_tokens, _TOKENS),
            }
            for decode in experiment.decode
        ],
    }
    if (train := experiment.train) is not None:
        small["train"] = {key: _at_most(getattr(train, key), bound) for key, bound in _TRAINING.items()}
        if (watched := train.evaluate) is not None:
            parts = [{**part.model_dump(mode="json"), "limit": _PROBLEMS} for part in watched.benchmarks]
            small["train"]["evaluate"] = {"benchmarks": parts, "max_new_tokens": _TOKENS}
    return small


def _at_most(value: int | None, bound: int) -> int:
    return bound if value is None else min(value, bound)
