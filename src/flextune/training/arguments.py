"""A recipe as what the Trainer takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import TrainerCallback, TrainingArguments

from flextune.config import PENALTY_FORM, PenaltyConfig, PenaltySection, Recipe, TrainConfig
from flextune.errors import FlextuneError
from flextune.extras import need
from flextune.launch import launched
from flextune.models.quantization import quantization_of
from flextune.spectral.form import PenaltyForm
from flextune.spectral.penalty import Penalty
from flextune.training.batches.choice import check_batches
from flextune.training.batches.dealing import Deal
from flextune.training.callbacks.keeping import KeepBestCallback
from flextune.training.callbacks.penalty import SpectralCallback
from flextune.training.memory import check_liger
from flextune.training.processes import sharded, world

if TYPE_CHECKING:
    from flextune.models.load import LoadedModel


def penalty_form(penalty: PenaltyConfig) -> PenaltyForm:
    """Which penalty the section means."""
    return PenaltyForm(**penalty.model_dump(include=set(PENALTY_FORM)))


def build_penalty(section: PenaltySection) -> Any:
    """What a training penalizes with: ours by its form, another package's by its own ``build``."""
    return Penalty(penalty_form(section)) if isinstance(section, PenaltyConfig) else section.build()


def recipe_callbacks(recipe: Recipe) -> list[TrainerCallback]:
    """What takes part in the training beside the Trainer itself."""
    members: list[TrainerCallback] = []
    penalty, train = recipe.penalty, recipe.train
    if penalty is not None and penalty.apply != "loss":
        members.append(
            SpectralCallback(build_penalty(penalty), strength=penalty.strength, apply=penalty.apply)
        )
    if train.kept_by is not None:
        patience = None if train.early_stopping is None else train.early_stopping.patience
        members.append(KeepBestCallback(train.kept_by, patience=patience))
    return members


def trainer_arguments(recipe: Recipe) -> dict[str, Any]:
    """``FlexTrainer``'s own arguments: divergence, a penalty in the loss, an optimizer other than AdamW.

    Raises:
        FlextuneError: The optimizer's package is missing.
    """
    train, penalty = recipe.train, recipe.penalty
    arguments: dict[str, Any] = {}
    if train.kl is not None:
        arguments |= {"kl": train.kl.weight, "kl_non_target": train.kl.vocabulary == "non-target"}
    if penalty is not None and penalty.apply == "loss":
        arguments |= {"penalty": build_penalty(penalty), "strength": penalty.strength}
    return arguments | recipe.optimizer.trainer_arguments(train.learning_rate)


def training_arguments(
    loaded: LoadedModel,
    recipe: Recipe,
    folder: Path,
    *,
    evaluate: bool,
    deal: Deal | None = None,
    device: torch.device | None = None,
) -> TrainingArguments:
    """The recipe; of the optimizer what concerns AdamW, which the Trainer makes itself."""
    train = recipe.train
    deal = deal or Deal(1, train.gradient_accumulation_steps)
    on_cpu = (device or loaded.model.device).type == "cpu"
    constant = train.lr_scheduler_type == "constant"
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=-(-train.batch_size // deal.parts),
        per_device_eval_batch_size=max(train.batch_size, 8),
        gradient_accumulation_steps=deal.rounds,
        num_train_epochs=train.epochs,
        max_steps=train.max_steps or -1,
        optim="adamw_torch",
        learning_rate=train.learning_rate,
        lr_scheduler_type="constant_with_warmup" if constant else train.lr_scheduler_type,
        warmup_steps=train.warmup_steps,
        weight_decay=train.weight_decay,
        max_grad_norm=train.max_grad_norm,
        seed=recipe.seed,
        use_cpu=on_cpu,
        bf16=loaded.model.dtype == torch.bfloat16 or train.mixed_precision == "bfloat16",
        fp16=loaded.model.dtype == torch.float16 or train.mixed_precision == "float16",
        torch_compile=train.torch_compile,
        logging_steps=train.logging_steps,
        logging_first_step=True,
        logging_nan_inf_filter=False,
        eval_strategy="steps" if evaluate else "no",
        eval_steps=0.1,
        eval_on_start=evaluate,
        prediction_loss_only=True,
        save_strategy="no",
        report_to=list(train.report_to),
        run_name=f"{folder.parent.parent.name}/{folder.name}",
        disable_tqdm=True,
        remove_unused_columns=False,
        # An expert that no token of a batch is sent to gets no gradient.
        ddp_find_unused_parameters=any("expert" in key for key in loaded.model.config.to_dict()),
        dataloader_pin_memory=not on_cpu,
        **recipe.optimizer.training_arguments(),
    )
    # Without torchrun, one device: the Trainer would spread each batch over all with DataParallel.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments


def _check_sharded(train: TrainConfig, device: torch.device, quantization: str | None) -> None:
    """Refuse what FSDP2 has no shards for."""
    if quantization is not None:
        raise FlextuneError(
            f"train.distributed fsdp: weights in {quantization} cannot be sharded; use ddp, or leave"
            " quantization out"
        )
    if train.evaluate is not None:
        raise FlextuneError(
            "train.distributed fsdp: train.evaluate needs the whole model in one process; use ddp"
        )
    if train.kl is not None and device.type != "cpu":
        raise FlextuneError(
            "train.distributed fsdp: train.kl needs the whole base model on each device; use ddp"
        )


def _mixed(train: TrainConfig) -> torch.dtype | None:
    return None if train.mixed_precision is None else getattr(torch, train.mixed_precision)


def check_recipe(loaded: LoadedModel, train: TrainConfig, device: torch.device) -> None:
    """Refuse what would fail late or in silence, once the model is in memory.

    Raises:
        FlextuneError: As ``check_training``.
    """
    model = loaded.model
    check_training(
        train,
        device=device,
        dtype=model.dtype,
        config=model.config,
        quantization=quantization_of(model),
    )


def check_training(
    train: TrainConfig,
    *,
    device: torch.device,
    dtype: torch.dtype,
    config: Any,
    quantization: str | None = None,
) -> None:
    """Refuse what would fail late or in silence.

    Args:
        train: The recipe's section.
        device: Of the training.
        dtype: Of the model's weights.
        config: Of transformers.
        quantization: Of the model's linear layers; None: none.

    Raises:
        FlextuneError: A dtype or device that training cannot use, batches that the model cannot take, or
            texts longer than its context.
    """
    if device.type == "cpu" and torch.float16 in (dtype, _mixed(train)):
        raise FlextuneError(
            "training in float16 needs a CUDA device; use dtype float32 or bfloat16 on the CPU"
        )
    if train.mixed_precision is not None and dtype not in (torch.float32, _mixed(train)):
        raise FlextuneError(
            f"train.mixed_precision {train.mixed_precision} is for weights in float32, and dtype is"
            f" {str(dtype).removeprefix('torch.')}; leave one of them out"
        )
    if train.use_liger_kernel:
        check_liger(device, config)
    for tracker in train.report_to:
        need(tracker, what=f"train.report_to {tracker}")
    if sharded(train):
        _check_sharded(train, device, quantization)
    if device.type == "cuda" and (device.index or 0) != launched().local_rank:
        if world() > 1:
            raise FlextuneError(
                f"device {device}: each of several processes has a GPU of its own; use device cuda"
            )
        raise FlextuneError(
            f"training runs on the first visible CUDA device, not {device}: set CUDA_VISIBLE_DEVICES="
            f"{device.index} and use device cuda"
        )
    check_batches(train, config)
    context = getattr(config, "max_position_embeddings", None)
    if context is not None and train.max_length > context:
        raise FlextuneError(
            f"train.max_length {train.max_length} exceeds the model's context of {context} tokens"
        )
