"""The rounds' experiment files, and all of them as one experiment, so that no adapter is trained twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import resources
from typing import Any, Literal

from flextune.config import Experiment, make_experiment
from flextune.config.arms import NOT_OF_AN_ARM
from flextune.config.overrides import assignment, merged, set_key
from flextune.config.strict_yaml import load_yaml
from flextune.errors import FlextuneError, did_you_mean

Scale = Literal["embedded", "small", "full"]

ROUNDS = ("0", "1", "2", "3", "3a", "3b", "3c", "4", "5")
#: The paper's reference: another model than the one that is trained.
REFERENCE = "python-7b"


def round_text(number: str, scale: Scale = "full") -> str:
    """The experiment file of one round.

    Args:
        number: ``0`` to ``5``, ``3a`` to ``3c``.
        scale: ``embedded`` for the embedded model's form; else Code Llama 7B's.

    Raises:
        FlextuneError: There is no such round.
    """
    if number not in ROUNDS:
        raise FlextuneError(
            f"no round {number!r}{did_you_mean(number, ROUNDS)} (rounds: {', '.join(ROUNDS)})"
        )
    folder = "embedded" if scale == "embedded" else "full"
    file = resources.files(__package__) / folder / f"round-{number}.yaml"
    return file.read_text(encoding="utf-8")


def all_rounds(
    scale: Scale,
    *,
    model: str | None = None,
    rounds: Sequence[str] = ROUNDS,
    overrides: Iterable[str] = (),
) -> Experiment:
    """Rounds as one experiment: every arm of every file, each once.

    An arm that stands in several files is evaluated on what any of them evaluates it on.

    Args:
        scale: ``embedded``: the embedded model. ``full``: Code Llama 7B. ``small``: the same on ``model``.
        model: For ``small``: a folder, a hub id or a GGUF file.
        rounds: Which of them.
        overrides: ``key.path=value``, set in every arm; ``seeds`` and ``name`` in the experiment.

    Raises:
        FlextuneError: An unknown round, ``small`` without a model, a model without ``small``, or two files
            that disagree about an arm.
    """
    if (scale == "small") != (model is not None):
        raise FlextuneError(
            "--scale small needs --model: a folder, a hub id or a GGUF file"
            if model is None
            else f"--model is for --scale small (the scale is {scale})"
        )
    arms: dict[str, dict[str, Any]] = {}
    pairs: list[list[str]] = []
    whole: dict[str, Any] = {"name": f"reproduction-{scale}"}
    for number in rounds:
        raw = load_yaml(round_text(number, scale))
        whole |= {"seeds": raw["seeds"]} if "seeds" in raw else {}
        for arm in _arms(raw):
            _add(arms, arm, number)
        pairs += [pair for pair in (raw.get("contrasts") or {}).get("pairs", []) if pair not in pairs]
    if scale == "small":
        arms.pop(REFERENCE, None)
        pairs = [pair for pair in pairs if REFERENCE not in pair]
    set_values = list(overrides) + ([] if model is None else [f"model={model}"])
    for override in set_values:
        key, value = assignment(override)
        if key.partition(".")[0] in NOT_OF_AN_ARM:
            set_key(whole, key, value)
        else:
            _set_in_arms(arms.values(), key, value)
    whole |= {"arms": list(arms.values()), "contrasts": {"pairs": pairs}}
    return make_experiment(whole, where=f"rounds ({scale})")


def _arms(raw: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """The arms of one file, each with all the keys that the file sets."""
    shared = {key: value for key, value in raw.items() if key not in NOT_OF_AN_ARM}
    for arm in raw["arms"]:
        settings = {key: value for key, value in arm.items() if key != "name"}
        yield {"name": arm["name"], **merged(shared, settings)}


def _add(arms: dict[str, dict[str, Any]], arm: dict[str, Any], number: str) -> None:
    known = arms.setdefault(arm["name"], arm)
    if known is arm:
        return
    for key in known.keys() | arm.keys():
        # An arm that trains nothing has no use for the sections of a training.
        unused = arm.get("train") is None and key in ("adapter", "penalty", "optimizer")
        if key != "evaluate" and not unused and known.get(key) != arm.get(key):
            raise FlextuneError(
                f"round {number}: arm {arm['name']!r} differs from an earlier round's in {key!r}"
            )
    known["evaluate"] = known["evaluate"] + [
        part for part in arm["evaluate"] if part not in known["evaluate"]
    ]


def _set_in_arms(arms: Iterable[dict[str, Any]], key: str, value: Any) -> None:
    section = key.partition(".")[0]
    for arm in arms:
        # "train.max_steps=5" trains nobody who does not train; nor does a penalty's strength make a penalty.
        if "." not in key or arm.get(section) is not None:
            set_key(arm, key, value)
