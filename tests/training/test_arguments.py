"""The section ``penalty`` means what ``flextune.spectral`` computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import ValidationError

from flextune.config import PENALTY_FORM, PENALTY_PRESETS, EarlyStoppingConfig, PenaltyConfig, TrainConfig
from flextune.models.load import LoadedModel
from flextune.spectral.form import PRESETS, PenaltyForm
from flextune.training.arguments import callbacks, penalty_form, penalty_in_the_loss, training_arguments
from flextune.training.callbacks.early_stopping import EarlyStopping
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


@pytest.mark.parametrize(("name", "value"), sorted(CHOICES))
def test_every_choice_reaches_the_form(name: str, value: Any) -> None:
    assert getattr(penalty_form(PenaltyConfig(**{name: value})), name) == value


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_the_same(name: str) -> None:
    assert set(PENALTY_PRESETS) == set(PRESETS)
    assert penalty_form(PenaltyConfig(preset=name)) == PRESETS[name]


@pytest.mark.parametrize(("name", "value"), [("flatten", "rank"), ("target", "A"), ("sides", "two")])
def test_what_update_does_not_know_is_refused_in_both(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match="has no meaning for kind 'update'"):
        PenaltyForm(kind="update", **{name: value})
    with pytest.raises(ValidationError, match="has no meaning for kind update"):
        PenaltyConfig(kind="update", **{name: value})


def test_each_way_has_its_host() -> None:
    train = TrainConfig()
    for way in ("gradient", "proximal"):
        penalty = PenaltyConfig(apply=way, strength=0.7, kind="l2")
        (host,) = callbacks(train, penalty)
        assert isinstance(host, SpectralCallback)
        assert (host.apply, host.term.strength, host.term.penalty.form.kind) == (way, 0.7, "l2")
        assert penalty_in_the_loss(penalty) == {}
    penalty = PenaltyConfig(apply="loss", strength=0.7)
    assert callbacks(train, penalty) == []
    assert penalty_in_the_loss(penalty) == {"penalty": PenaltyForm(), "strength": 0.7}
    assert callbacks(train, None) == []
    assert penalty_in_the_loss(None) == {}


def test_early_stopping_takes_part_where_it_is_asked_for() -> None:
    (found,) = callbacks(TrainConfig(early_stopping=EarlyStoppingConfig(patience=7)), None)
    assert isinstance(found, EarlyStopping)
    assert found.patience == 7


def test_recipe_reaches_the_trainer(loaded: LoadedModel, tmp_path: Path) -> None:
    train = TrainConfig(batch_size=3, accumulation=5, learning_rate=0.3, clip=0.7, weight_decay=0.2)
    arguments = training_arguments(loaded, train, 11, tmp_path, evaluate=False)
    assert (arguments.per_device_train_batch_size, arguments.gradient_accumulation_steps) == (3, 5)
    assert (arguments.learning_rate, arguments.max_grad_norm, arguments.weight_decay) == (0.3, 0.7, 0.2)
    assert (arguments.seed, arguments.n_gpu <= 1, arguments.report_to) == (11, True, [])
