"""What can be known to be wrong with a training before any work begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flextune.extras import need
from flextune.runner.plan import BaseModel, Training


def check_trainings(trainings: Sequence[Training]) -> None:
    """Refuse what would only fail at the first training, perhaps hours into an experiment.

    Args:
        trainings: Those that are not finished.

    Raises:
        FlextuneError: A missing package; a device, type, length, target or layer that the model does not
            allow; a tokenizer without an end.
    """
    models: dict[BaseModel, Any] = {}
    adapters: set[tuple[BaseModel, str]] = set()
    for training in trainings:
        model, recipe = training.model, training.recipe
        if recipe.optimizer.package is not None:
            need(recipe.optimizer.package, what=f"optimizer {recipe.optimizer.name}")
        if model not in models:
            models[model] = _config(model)
        _check_training(training, models[model])
        adapter = (model, recipe.adapter.model_dump_json())
        if adapter not in adapters:
            adapters.add(adapter)
            _check_targets(training)
        _check_starts(training)


def _config(model: BaseModel) -> Any:
    """The model's configuration, once its tokenizer is known to have an end."""
    need("torch", "transformers", "peft", "accelerate")
    from flextune.models.encoding import check_end_token
    from flextune.models.load import load_tokenizer, model_config

    check_end_token(load_tokenizer(model.name))
    return model_config(model.name)


def _check_training(training: Training, config: Any) -> None:
    import torch

    from flextune.models.load import resolve_device
    from flextune.training.arguments import check_training

    check_training(
        training.recipe.train,
        device=resolve_device(training.model.device),
        dtype=getattr(torch, training.model.dtype),
        config=config,
    )


def _check_starts(training: Training) -> None:
    """Adapters from elsewhere that a training begins with; those of this run do not exist yet."""
    from flextune.models.adapter_folder import usable_adapter
    from flextune.models.starting import check_start

    for merged in training.model.merged:
        if merged.folder is not None:
            usable_adapter(merged.folder)
    if training.start is not None and training.start.folder is not None:
        check_start(training.model.name, training.start.folder, training.recipe.adapter)


def _check_targets(training: Training) -> None:
    from flextune.models.adapters import check_targets

    check_targets(training.model.name, training.recipe.adapter)
