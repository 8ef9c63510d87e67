"""An experiment made small: does all of it work, before hours are spent on it?"""

from __future__ import annotations

from typing import Any

from flextune.config.experiment import Experiment

# What a training may have at most, and what an evaluation.
_TRAINING = {"max_steps": 2, "limit": 24, "validation": 1, "batch_size": 2, "accumulation": 1, "log_every": 1}
_PROBLEMS, _TOKENS, _TRIALS = 2, 24, 2


def quick(experiment: Experiment) -> Experiment:
    """Every arm, benchmark and decoding of an experiment, with one seed and next to no data.

    Its name ends in ``-quick``, so that its run is another one; its numbers mean nothing.
    """
    raw = experiment.model_dump()
    raw |= {"name": f"{experiment.name}-quick", "seeds": raw["seeds"][:1]}
    raw["train"] |= {key: _at_most(raw["train"][key], bound) for key, bound in _TRAINING.items()}
    for arm in raw["arms"]:
        given = arm["train"] or {}
        given |= {key: _at_most(given[key], bound) for key, bound in _TRAINING.items() if key in given}
    for part in raw["evaluate"]:
        part["limit"] = _at_most(part["limit"], _PROBLEMS)
    for part in raw["decode"]:
        part["max_new_tokens"] = _at_most(part["max_new_tokens"], _TOKENS)
    if raw["tune"] is not None:
        raw["tune"] |= {"trainings": _TRIALS, "most": _TRIALS}
    return Experiment.model_validate(raw)


def _at_most(value: Any, bound: int) -> int:
    return bound if value is None else min(int(value), bound)
