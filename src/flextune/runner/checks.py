"""What can be known to be wrong with a training before any work begins."""

from __future__ import annotations

from collections.abc import Sequence

from flextune.extras import need
from flextune.runner.plan import Training


def check_trainings(trainings: Sequence[Training]) -> None:
    """Refuse what would only fail at the first training, perhaps hours into an experiment.

    Args:
        trainings: Those that are not finished.

    Raises:
        FlextuneError: A missing package; a device, type, length, target or layer that the model does not
            allow; a tokenizer without an end.
    """
    checked = set()
    for training in trainings:
        # Seeds change nothing here.
        setting = (training.model, training.recipe.model_copy(update={"seed": 0}).model_dump_json())
        if setting not in checked:
            checked.add(setting)
            _check(training)


def _check(training: Training) -> None:
    recipe, model = training.recipe, training.model
    if recipe.optimizer.package is not None:
        need(recipe.optimizer.package, what=f"optimizer {recipe.optimizer.name}")
    need("torch", "transformers", "peft", "accelerate")
    import torch

    from flextune.models.adapters import check_targets
    from flextune.models.encoding import check_end_token
    from flextune.models.load import load_tokenizer, model_config, resolve_device
    from flextune.training.arguments import check_training

    check_training(
        recipe.train,
        device=resolve_device(model.device),
        dtype=getattr(torch, model.dtype),
        config=model_config(model.name),
    )
    check_end_token(load_tokenizer(model.name))
    check_targets(model.name, recipe.adapter)
