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
_DECODING = {"max_new_tokens": _TOKENS, "n": _SAMPLES}
#: A sweep has them in two halves.
_PROBLEMS_OF_A_SWEEP = 8
#: Values of each key of a sweep.
_VALUES = 2


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
    if experiment.sweep is not None:
        raw["sweep"] = _small_sweep(raw["sweep"])
    return validate(Experiment, raw)


def _small_sweep(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Two values of each key, and two trials of a search that proposes its own."""
    small = {**raw, "keys": {key: _values(key, values) for key, values in raw["keys"].items()}}
    if raw.get("search", "grid") != "grid":
        small["trials"] = _TRIALS
    if decode := (raw.get("baseline") or {}).get("decode"):
        small["baseline"] = {**raw["baseline"], "decode": [_small_decode(one) for one in decode]}
    return small


def _values(key: str, values: Any) -> Any:
    section, _, name = key.rpartition(".")
    if section == "train" and name in _TRAINING:
        return [_TRAINING[name]]
    if section == "decode" and name in _DECODING:
        return [_DECODING[name]]
    if isinstance(values, list):
        first = values[:_VALUES]
        return [_small_decode(one) for one in first] if key == "decode" else first
    if isinstance(values, Mapping) and values.get("steps"):
        return {**values, "steps": _VALUES}
    return values


def _small_decode(raw: Any) -> Any:
    """A way of decoding as it is written, with few tokens and samples."""
    if not isinstance(raw, Mapping):
        return raw
    small = {"max_new_tokens": _TOKENS, **raw}
    return small | {key: min(small[key], bound) for key, bound in _DECODING.items() if key in small}


def _small(arm: Mapping[str, Any], resolved: Experiment) -> dict[str, Any]:
    """An arm with the bounds on the sections that it sets itself."""
    own = {key: bound for key, bound in _bounds(resolved).items() if arm.get(key) is not None}
    return merged(arm, own)


def _bounds(experiment: Experiment) -> dict[str, Any]:
    """What an experiment, or a resolved arm, may have at most."""
    problems = _PROBLEMS if experiment.sweep is None else _PROBLEMS_OF_A_SWEEP
    small: dict[str, Any] = {
        "evaluate": [
            {**part.model_dump(mode="json"), "limit": _at_most(part.limit, problems)}
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
