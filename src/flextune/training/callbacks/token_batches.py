"""A Trainer's batches as tokens with labels, which is what an estimate of the curvature takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from transformers import Trainer

from flextune.errors import FlextuneError
from flextune.optim.estimator import IGNORED

# What a model's forward takes of a batch that holds other things too (masks, reference values, rewards).
_FORWARD = ("input_ids", "attention_mask", "position_ids", "token_type_ids")


def labelled(batch: Mapping[str, Any]) -> Mapping[str, Any]:
    """A batch with ``labels``, from the batches of transformers' and TRL's Trainers.

    - With ``labels`` (SFT): as it is.
    - With ``completion_mask`` over ``input_ids`` (DPO: chosen, then rejected; KTO): the completions' tokens.
    - With ``prompt_ids`` and ``completion_ids`` apart (GRPO, RLOO): the tokens that the policy drew, without
      those that a tool answered.

    Args:
        batch: After the Trainer's ``_prepare_inputs``.

    Returns:
        What the model's forward takes, and ``labels`` of shape ``(batch, tokens)``, -100 where a token does
        not count.

    Raises:
        ValueError: None of these.
    """
    if "labels" in batch:
        return batch
    if "completion_ids" in batch and "prompt_ids" in batch:
        return _drawn(batch)
    if "completion_mask" in batch and "input_ids" in batch:
        labels = batch["input_ids"].masked_fill(batch["completion_mask"] == 0, IGNORED)
        return {**{key: batch[key] for key in _FORWARD if key in batch}, "labels": labels}
    raise ValueError(
        "a curvature estimate needs labels or a completion_mask over tokens, and the batch has only"
        f" {', '.join(batch)}"
    )


def _drawn(batch: Mapping[str, Any]) -> dict[str, Tensor]:
    prompt, completion, mask = batch["prompt_ids"], batch["completion_ids"], batch["completion_mask"]
    counted = mask * batch["tool_mask"] if "tool_mask" in batch else mask
    labels = completion.masked_fill(counted == 0, IGNORED)
    return {
        "input_ids": torch.cat([prompt, completion], dim=1),
        "attention_mask": torch.cat([batch["prompt_mask"], mask], dim=1),
        "labels": torch.cat([torch.full_like(prompt, IGNORED), labels], dim=1),
    }


def generates(trainer: Trainer) -> bool:
    """Whether a Trainer draws the texts of its batches itself, as TRL's GRPO and RLOO do."""
    return hasattr(trainer, "_buffered_inputs") and hasattr(trainer, "_step")


def refuse_unfit(trainer: Any, *, true_labels: bool) -> None:
    """Refuse, before the first step, a training whose batches an estimate could not use.

    Args:
        trainer: With ``SophiaMixin.curvature_batch``.
        true_labels: Whether the estimate is of the cross entropy with the batch's own labels (Hutchinson).

    Raises:
        FlextuneError: Says what is missing and what to use.
    """
    name = type(trainer).__name__
    if getattr(getattr(trainer.model, "config", None), "is_encoder_decoder", False):
        raise FlextuneError(
            "optimizer: Sophia's estimates are of causal models, and this is an encoder-decoder"
        )
    if generates(trainer):
        if getattr(trainer, "_is_vlm", False):
            raise FlextuneError(f"optimizer: Sophia's estimates in {name} know texts alone, no images")
        own_labels = False
    elif (batch := _first_batch(trainer)) is not None:
        own_labels = "labels" in batch
        _check_labels(trainer, batch)
    else:
        return
    if true_labels and not own_labels:
        raise FlextuneError(
            f"optimizer: hutchinson estimates the cross entropy with a batch's labels, which {name} does not"
            " train; use estimator gnb"
        )


def _check_labels(trainer: Any, batch: Mapping[str, Any]) -> None:
    try:
        labels = trainer.curvature_batch(batch)["labels"]
    except (KeyError, ValueError) as error:
        raise FlextuneError(f"optimizer: {type(trainer).__name__}: {error}") from None
    if labels.ndim < 2:
        raise FlextuneError(
            "optimizer: Sophia's estimates need a label for each token, and the labels have shape"
            f" {tuple(labels.shape)} for one text"
        )


def _first_batch(trainer: Any) -> Mapping[str, Any] | None:
    """What the collator makes of the first example; None where that shows in training only."""
    try:
        rows = trainer.train_dataset
        if hasattr(rows, "column_names"):
            rows = trainer._remove_unused_columns(rows, description="training")
        # A collator may draw (masking): the training's own draws stay what they are.
        with torch.random.fork_rng(devices=[]):
            batch = trainer.data_collator([rows[0]])
    except Exception:  # Of any dataset or collator: only the check is lost, the first step makes it again.
        return None
    return batch if isinstance(batch, Mapping) else None
