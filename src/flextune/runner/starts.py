"""Sequential fine-tuning: which adapter a training begins with, and whether it can."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flextune.config import Experiment, StartConfig
from flextune.errors import FlextuneError
from flextune.files.objects import read_object
from flextune.runs import layout
from flextune.runs.run import Run

if TYPE_CHECKING:
    from flextune.runner.work import Training


_WHOLE = "{where}: arm {arm!r} trained all weights and has no adapter; give its model as model: {model}"


def finished_adapter(folder: Path, arm: str, seed: int) -> Path:
    """The adapter that one arm of a finished run has for a seed.

    Raises:
        FlextuneError: There is no such run, arm or seed, or the arm trains nothing.
    """
    run = Run(folder)
    if not run.scores_file.is_file():
        raise FlextuneError(f"{folder}: no {layout.SCORES}; it is not the folder of a finished run")
    scores = run.scores.scores
    trained = {score.arm: score.trainings for score in scores if any(score.trainings.values())}
    if arm not in trained:
        known = ", ".join(trained) or "none"
        raise FlextuneError(f"{folder}: no arm {arm!r} that was trained (there: {known})")
    key = trained[arm].get(str(seed))
    if key is None:
        raise FlextuneError(f"{folder}: arm {arm!r} has no seed {seed} (it has: {', '.join(trained[arm])})")
    if run.trained(key).is_whole:
        raise FlextuneError(_WHOLE.format(where=folder, arm=arm, model=run.trained(key).model))
    return run.trained(key).adapter


def refuse_merged_base(adapter: Path) -> None:
    """Return unless an adapter was trained here on weights that another one is merged into.

    Beside the base model that its configuration names it would give a model that nobody trained.

    Raises:
        FlextuneError: It was; says how to make the model that it is for.
    """
    merged = read_object(adapter.parent / layout.KEY).get("merged")
    if merged:
        raise FlextuneError(
            f"{adapter}: was trained on weights that another adapter is merged into"
            f" ({', '.join(map(str, merged))}): merge that one into a folder (flextune merge), then give this"
            " one with that folder as the model, copied out of its run"
        )


def check_sequence(arm: Experiment, section: StartConfig, before: Training) -> None:
    """Refuse to go on from an arm of another model, or with matrices of another shape or scale.

    Args:
        arm: The arm that begins with another's adapter.
        section: Its ``train.start``.
        before: The other's training.

    Raises:
        FlextuneError: Naming arm and key.
    """
    where = f"arms.{arm.name}.train.start"
    if (before.model.name, before.model.dtype) != (arm.model, arm.dtype):
        raise FlextuneError(f"{where}: arm {section.arm!r} is of another model or dtype")
    if before.recipe.adapter is None:
        raise FlextuneError(_WHOLE.format(where=where, arm=section.arm, model="trained/KEY/model"))
    if section.use == "merged":
        return
    one, other = (
        {} if adapter is None else adapter.model_dump(mode="json", exclude={"dropout"})
        for adapter in (before.recipe.adapter, arm.adapter)
    )
    for key in dict.fromkeys([*one, *other]):
        if (theirs := one.get(key)) != (ours := other.get(key)):
            raise FlextuneError(
                f"{where}: arm {section.arm!r} has adapter.{key} {theirs}, this one {ours}; make them equal,"
                " or use: merged"
            )
