"""What of an experiment can change a result: settings that its other settings switch off are left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flextune.config.arms import NOT_OF_AN_ARM
from flextune.config.experiment import Experiment
from flextune.config.sections.train import TrainConfig
from flextune.registry import TRAINING_SOURCES

#: Fields that are looked at one by one below, and those that no arm has.
_SEEN_TO = {
    *NOT_OF_AN_ARM,
    *("model", "dtype", "device", "adapter", "train", "optimizer", "penalty"),
    *("generate", "decode", "judge", "evaluate"),
}


def effective(experiment: Experiment) -> dict[str, Any]:
    """Two experiments of one arm with the same value have the same results.

    Left out are a penalty of strength 0, epochs where there is a number of steps, what belongs to another
    way of decoding, everything about training where nothing is trained, and what is only about speed.
    """
    others = set(Experiment.model_fields) - _SEEN_TO
    return {
        **experiment.model_dump(mode="json", include=others),
        "model": experiment.model,
        "dtype": experiment.dtype,
        "training": _training(experiment),
        "generate": _generate(experiment),
        "decode": [decode.used() for decode in experiment.decode],
        "judge": experiment.judge.given(),
        "evaluate": [part.model_dump(mode="json") for part in experiment.evaluate],
    }


def unused_settings(experiment: Experiment) -> Iterator[str]:
    """What was set and has no effect in any evaluation of an arm: ``decode.0.temperature: 0.8 needs ...``."""
    for arm in experiment.resolved_arms():
        prefix = f"arm {arm.name}: " if experiment.arms else ""
        for number, decode in enumerate(arm.decode):
            yield from (f"{prefix}decode.{number}.{text}" for text in decode.unused())
        for number, part in enumerate(arm.evaluate):
            if part.lexicon != "base" and not part.has_lexicons:
                yield (
                    f"{prefix}evaluate.{number}.lexicon: {part.lexicon} is a wording of rosetta, and "
                    f"{part.name} has one alone; leave it out"
                )


def _training(experiment: Experiment) -> dict[str, Any] | None:
    if experiment.train is None:
        return None
    # A key has the examples themselves in place of where they came from; here that is what is varied.
    train = experiment.train.model_dump(mode="json", exclude=_unused(experiment.train))
    return {**experiment.recipe(0).given(), "train": train}


def _unused(train: TrainConfig) -> set[str]:
    unused = {"logging_steps"} | ({"epochs"} if train.max_steps is not None else set())
    unused |= set() if train.judged else {"evaluate"}
    data = train.data
    if isinstance(data, str) and data in TRAINING_SOURCES and not TRAINING_SOURCES.get(data).has_lexicons:
        unused |= {"language", "lexicon"}
    return unused


def _generate(experiment: Experiment) -> dict[str, Any]:
    """A model without an adapter has nothing to merge or to scale."""
    bare = experiment.train is None and experiment.generate.adapter is None
    used = {"dtype"} if bare else None
    return experiment.generate.model_dump(mode="json", include=used)
