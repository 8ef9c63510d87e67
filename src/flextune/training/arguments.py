"""An experiment's training section as what the Trainer takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.optim import Optimizer
from transformers import TrainerCallback, TrainingArguments

from flextune.config import PENALTY_FORM, OptimizerConfig, PenaltyConfig, TrainConfig
from flextune.errors import FlextuneError
from flextune.extras import missing
from flextune.spectral.form import PenaltyForm
from flextune.training.callbacks.early_stopping import EarlyStopping
from flextune.training.callbacks.penalty import SpectralCallback

if TYPE_CHECKING:
    from flextune.models.load import LoadedModel


def penalty_form(penalty: PenaltyConfig) -> PenaltyForm:
    """Which penalty the section means."""
    return PenaltyForm(**penalty.model_dump(include=set(PENALTY_FORM)))


def penalty_in_the_loss(penalty: PenaltyConfig | None) -> dict[str, Any]:
    """``FlexTrainer``'s arguments for a penalty under ``apply: loss``."""
    if penalty is None or penalty.apply != "loss":
        return {}
    return {"penalty": penalty_form(penalty), "strength": penalty.strength}


# The curvature in the paper's own scripts.
_CONSTANT_CURVATURE = 1e-4
# What says how Sophia is fed and not how it moves.
_NOT_SOPHIA_S = {"name", "estimator"}


def optimizer_arguments(optimizer: OptimizerConfig, learning_rate: float) -> dict[str, Any]:
    """``FlexTrainer``'s arguments for an optimizer other than AdamW.

    Raises:
        FlextuneError: Lion's package is missing.
    """
    if optimizer.name == "adamw":
        return {}
    if optimizer.name == "lion":
        return {"optimizer_cls_and_kwargs": (_lion(), {"lr": learning_rate, "betas": optimizer.betas})}
    options = optimizer.model_dump(exclude_none=True, exclude=_NOT_SOPHIA_S)
    if optimizer.name == "sophia-constant":
        return {"sophia": {**options, "curvature": _CONSTANT_CURVATURE}}
    return {"sophia": options, "estimator": optimizer.estimator}


def _lion() -> type[Optimizer]:
    try:
        from pytorch_optimizer import Lion
    except ImportError:
        raise FlextuneError(missing("pytorch_optimizer", "optimizer lion")) from None
    return Lion


def callbacks(train: TrainConfig, penalty: PenaltyConfig | None) -> list[TrainerCallback]:
    """What takes part in the training beside the Trainer itself."""
    found: list[TrainerCallback] = []
    if penalty is not None and penalty.apply != "loss":
        form = penalty_form(penalty)
        found.append(SpectralCallback(form, strength=penalty.strength, apply=penalty.apply))
    if train.early_stopping is not None:
        found.append(EarlyStopping(train.early_stopping.patience))
    return found


def training_arguments(
    loaded: LoadedModel,
    train: TrainConfig,
    seed: int,
    folder: Path,
    *,
    evaluate: bool,
    optimizer: OptimizerConfig | None = None,
) -> TrainingArguments:
    """The recipe; of the optimizer what concerns AdamW, which the Trainer makes itself."""
    adamw = optimizer if optimizer is not None and optimizer.name == "adamw" else OptimizerConfig()
    assert adamw.betas is not None
    on_cpu = loaded.model.device.type == "cpu"
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=train.batch_size,
        per_device_eval_batch_size=max(train.batch_size, 8),
        gradient_accumulation_steps=train.accumulation,
        num_train_epochs=train.epochs,
        max_steps=train.max_steps or -1,
        optim="adamw_torch",
        adam_beta1=adamw.betas[0],
        adam_beta2=adamw.betas[1],
        adam_epsilon=adamw.eps,
        learning_rate=train.learning_rate,
        lr_scheduler_type="constant_with_warmup" if train.schedule == "constant" else train.schedule,
        warmup_steps=train.warmup,
        weight_decay=train.weight_decay,
        max_grad_norm=train.clip,
        seed=seed,
        use_cpu=on_cpu,
        bf16=loaded.model.dtype == torch.bfloat16 or train.autocast == "bfloat16",
        fp16=loaded.model.dtype == torch.float16,
        logging_steps=train.log_every,
        logging_first_step=True,
        logging_nan_inf_filter=False,
        eval_strategy="steps" if evaluate else "no",
        eval_steps=0.1,
        eval_on_start=evaluate,
        prediction_loss_only=True,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=not on_cpu,
    )
    # Without torchrun, one device: the Trainer would spread each batch over all with DataParallel.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments


def check_recipe(loaded: LoadedModel, train: TrainConfig) -> None:
    """Refuse what would fail late or in silence.

    Raises:
        FlextuneError: A dtype or device that training cannot use, or texts longer than the model's context.
    """
    device, dtype = loaded.model.device, loaded.model.dtype
    if device.type == "cpu" and dtype == torch.float16:
        raise FlextuneError(
            "training in float16 needs a CUDA device; use dtype float32 or bfloat16 on the CPU"
        )
    if device.type == "cuda" and device.index:
        raise FlextuneError(
            f"training runs on the first visible CUDA device, not {device}: set CUDA_VISIBLE_DEVICES="
            f"{device.index} and use device cuda"
        )
    context = getattr(loaded.model.config, "max_position_embeddings", None)
    if context is not None and train.max_length > context:
        raise FlextuneError(
            f"train.max_length {train.max_length} exceeds the model's context of {context} tokens"
        )
