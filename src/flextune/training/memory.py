"""What makes a model's step lighter: activations computed again, and Liger's kernels."""

from __future__ import annotations

import inspect
import sys
from typing import Any

import torch

from flextune.errors import FlextuneError
from flextune.extras import need
from flextune.models.whole import base_of

_UNWANTED = ("rope", "cross_entropy", "fused_linear_cross_entropy")


def recompute_activations(model: Any) -> None:
    """Keep only the inputs of each layer, and compute the rest again in the backward pass.

    Not by the reentrant way, which needs an input with a gradient and loses the adapter's without one.

    Args:
        model: A view of the base model with its adapter, or a copy; the base model is left as it is.
    """
    options = {"use_reentrant": False}
    base = base_of(model)
    if hasattr(base, "activation_checkpointing_enable"):
        base.activation_checkpointing_enable(activation_checkpointing_kwargs=options)
    else:  # transformers before 5.20
        base.gradient_checkpointing_enable(gradient_checkpointing_kwargs=options)
    base.config.use_cache = False


def check_liger(device: torch.device, config: Any) -> None:
    """Refuse Liger's kernels where they do not run.

    Args:
        device: Of the training.
        config: Of transformers.

    Raises:
        FlextuneError: The package or a CUDA device is missing, or it does not know the model.
    """
    if device.type != "cuda":
        raise FlextuneError("train.use_liger_kernel: its kernels are for CUDA; leave it out on the CPU")
    need("liger_kernel", what="train.use_liger_kernel")
    from liger_kernel.transformers.monkey_patch import MODEL_TYPE_TO_APPLY_LIGER_FN as known

    if config.model_type not in known:
        raise FlextuneError(f"train.use_liger_kernel: Liger does not know {config.model_type}; leave it out")


def use_liger(model: Any) -> None:
    """Give a view of a model Liger's kernels for its norms and activations.

    Not its cross entropy, fused or not: ours already computes the logits of counted positions alone, an
    adapter on the output layer would get no gradient, and a divergence or a curvature needs logits. Not its
    rotary positions either. Liger also replaces classes of transformers' module, for all models that the
    process makes later; that is taken back.

    Args:
        model: With its adapter.
    """
    from liger_kernel.transformers.monkey_patch import MODEL_TYPE_TO_APPLY_LIGER_FN as known

    base = base_of(model)
    apply = known[base.config.model_type]
    takes = inspect.signature(apply).parameters
    unwanted = {name: False for name in _UNWANTED if name in takes}
    names = vars(sys.modules[type(base).__module__])
    before = dict(names)
    try:
        apply(model=base, **unwanted)
    finally:
        names.update(before)
