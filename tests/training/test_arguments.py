"""The section ``penalty`` means what ``flextune.spectral`` computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import ValidationError

from flextune.config import (
    PENALTY_FORM,
    PENALTY_PRESETS,
    EarlyStoppingConfig,
    PenaltyConfig,
    Recipe,
    TrainConfig,
)
from flextune.models.load import LoadedModel
from flextune.spectral.form import PRESETS, PenaltyForm
from flextune.training.arguments import penalty_form, recipe_callbacks, trainer_arguments, training_arguments
from flextune.training.callbacks.keeping import KeepBestCallback
from flextune.training.callbacks.penalty import SpectralCallback

CHOICES = {
    (name, value) for name, kind in get_type_hints(PenaltyForm).items() for value in get_args(kind) or ()
}


def test_options_and_defaults_are_those_of_the_form() -> None:
    assert set(PENALTY_FORM) == set(get_type_hints(PenaltyForm))
    assert penalty_form(PenaltyConfig()) == PenaltyForm()
    taken = {(name, value) for name in PENALTY_FORM for value in _choices(name)}
    assert taken == CHOICES


def _choices(name: str) -> tuple[Any, ...]:
    return get_args(PenaltyConfig.model_fields[name].annotation)


@pytest.mark.parametrize(("name", "value"), [*sorted(CHOICES), ("onesided", False)])
def test_every_choice_reaches_the_form(name: str, value: Any) -> None:
    assert getattr(penalty_form(PenaltyConfig(**{name: value})), name) == value


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_the_same(name: str) -> None:
    assert set(PENALTY_PRESETS) == set(PRESETS)
    assert penalty_form(PenaltyConfig(preset=name)) == PRESETS[name]  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "value"), [("flatten", "rank"), ("target", "A"), ("onesided", False)])
def test_what_update_does_not_know_is_refused_in_both(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match="has no meaning for kind 'update'"):
        PenaltyForm(kind="update", **{name: value})
    with pytest.raises(ValidationError, match="has no meaning for kind update"):
        PenaltyConfig(kind="update", **{name: value})


def recipe_with(penalty: PenaltyConfig | None, **train: Any) -> Recipe:
    return Recipe(train=TrainConfig(**train), penalty=penalty)


def test_each_way_has_its_host() -> None:
    for way in ("gradient", "proximal"):
        recipe = recipe_with(PenaltyConfig(apply=way, strength=0.7, kind="l2"))
        (host,) = recipe_callbacks(recipe)
        assert isinstance(host, SpectralCallback)
        assert (host.apply, host.term.strength, host.term.penalty.form.kind) == (way, 0.7, "l2")
        assert trainer_arguments(recipe) == {}
    in_the_loss = recipe_with(PenaltyConfig(apply="loss", strength=0.7))
    assert recipe_callbacks(in_the_loss) == []
    arguments = trainer_arguments(in_the_loss)
    assert (arguments["penalty"].form, arguments["strength"]) == (PenaltyForm(), 0.7)
    assert recipe_callbacks(Recipe()) == []
    assert trainer_arguments(Recipe()) == {}


def test_early_stopping_takes_part_where_it_is_asked_for() -> None:
    (callback,) = recipe_callbacks(recipe_with(None, early_stopping=EarlyStoppingConfig(patience=7)))
    assert isinstance(callback, KeepBestCallback)
    assert (callback.metric, callback.patience) == ("eval_loss", 7)
    (callback,) = recipe_callbacks(recipe_with(None, keep_best="loss"))
    assert isinstance(callback, KeepBestCallback)
    assert (callback.metric, callback.patience) == ("loss", None)


def test_recipe_reaches_the_trainer(loaded: LoadedModel, tmp_path: Path) -> None:
    train = TrainConfig(
        batch_size=3,
        gradient_accumulation_steps=5,
        learning_rate=0.3,
        max_grad_norm=0.7,
        weight_decay=0.2,
    )
    arguments = training_arguments(loaded, Recipe(train=train, seed=11), tmp_path, evaluate=False)
    assert (arguments.per_device_train_batch_size, arguments.gradient_accumulation_steps) == (3, 5)
    assert (arguments.learning_rate, arguments.max_grad_norm, arguments.weight_decay) == (0.3, 0.7, 0.2)
    assert (arguments.seed, arguments.n_gpu <= 1, arguments.report_to) == (11, True, [])
