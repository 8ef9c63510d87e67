"""What of a run's results an experiment of the same name would replace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from flextune.config import Experiment
from flextune.errors import FlextuneError
from flextune.runs.run import Run

#: Differences that a message names.
_SHOWN = 3
#: What adds to results, or does not change them.
_NOT_COMPARED = {"name", "device", "seeds", "evaluate", "decode", "contrasts", "arms", "tune", "match"}


def check_replaces_nothing(experiment: Experiment, folder: Path) -> None:
    """Return if the scores of a folder, if there are any, would all be in those of the experiment.

    Arms, seeds, evaluations and decodings may be added. Trainings, completions and verdicts are kept in any
    case; what another experiment would replace is scores.json and the page.

    Raises:
        FlextuneError: Something that was scored is missing in the experiment, or has other settings.
    """
    run = Run(folder)
    if not run.scores_file.is_file():
        return
    found = list(_differences(run.experiment, experiment))
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise FlextuneError(
            f"{folder} holds the results of another experiment ({'; '.join(found[:_SHOWN])}{more}): "
            "name=OTHER keeps both, --replace replaces its scores and page"
        )


def _differences(old: Experiment, new: Experiment) -> Iterator[str]:
    if missing := [seed for seed in old.seeds if seed not in new.seeds]:
        yield f"seeds {old.seeds}, now without {', '.join(map(str, missing))}"
    for key in ("tune", "match"):
        if getattr(old, key) != getattr(new, key):
            yield f"{key} is another"
    arms = {arm.name: arm for arm in new.resolved_arms()}
    for arm in old.resolved_arms():
        if arm.name not in arms:
            yield f"arm {arm.name}, now missing"
        else:
            yield from (f"{arm.name}: {text}" for text in _of_arm(arm, arms[arm.name]))


def _of_arm(old: Experiment, new: Experiment) -> Iterator[str]:
    before, after = (_flat(arm.model_dump(mode="json", exclude=_NOT_COMPARED)) for arm in (old, new))
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key):
            yield f"{key} {before.get(key)}, now {after.get(key)}"
    yield from _of_list(old.evaluate, new.evaluate)
    yield from _of_list(old.decode, new.decode)


def _of_list(old: Sequence[Any], new: Sequence[Any]) -> Iterator[str]:
    """Evaluations, or decodings: each is known by its label."""
    parts = {part.label: part for part in new}
    for part in old:
        if part.label not in parts:
            yield f"{part.label}, now missing"
        elif parts[part.label] != part:
            yield f"{part.label} with other settings"


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """``{"train": {"epochs": 1}}`` as ``{"train.epochs": 1}``."""
    if not isinstance(value, dict):
        return {path: value}
    return {
        key: leaf
        for name, part in value.items()
        for key, leaf in _flat(part, f"{path}.{name}".strip(".")).items()
    }
