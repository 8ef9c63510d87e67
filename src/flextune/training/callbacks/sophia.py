"""Sophia in any transformers or TRL Trainer: a mixin, because a callback does not see the batches.

An estimate is made at on_step_begin, from all micro-batches of the optimizer step that begins. Nothing of the
step has been computed yet, gradients are not being accumulated (under FSDP2 a pending sum would be mixed with
the estimate's), and after a resume the generators of dropout are where they were.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from flextune.errors import FlextuneError
from flextune.optim import (
    Estimator,
    GaussNewtonBartlett,
    Hutchinson,
    Sophia,
    Together,
    causal_tokens,
    factor_groups,
)
from flextune.optim.estimator import Predict
from flextune.optim.groups import Reduce
from flextune.training.callbacks.token_batches import generates, labelled, refuse_unfit
from flextune.training.usage import now

Estimate = Literal["gnb", "hutchinson"]

_NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


class SophiaMixin:
    """Sophia (``flextune.optim``) with estimates of the curvature, in a Trainer.

        class Trainer(SophiaMixin, SFTTrainer): ...
        trainer = Trainer(..., sophia={"gamma": 1.0})

    Learning rate, schedule, weight decay and clipping are those of the Trainer's arguments. Estimates see the
    micro-batches of the step that they come before, in the model's training mode (dropout too) and under its
    autocast; their gradients are in no ``.grad``, in no norm and not clipped. They are of the mean cross
    entropy over counted tokens: a loss of your own, label smoothing or a penalty is not in them.

    Where batches have no labels, ``gnb`` estimates the model's own distribution over the completions' tokens:
    TRL's DPO and KTO (chosen and rejected answers), GRPO and RLOO (what the policy drew, at its temperature,
    generated once for estimate and step). ``hutchinson`` needs labels that the loss is about, so it is
    refused there. For other batches override ``curvature_batch``.

    The micro-batches of several processes are their own, and so is what they draw; ``shared_by`` makes them
    parts of one process's.

    The seed decides the labels (``gnb``) or signs (``hutchinson``) that estimates draw, and nothing else. The
    draws depend on ``args.seed``, the step and the process alone, so that a resumed run makes the estimates
    of one that never stopped, and there is nothing to save beside the optimizer's state.

    Log lines with a training loss also get ``win_rate_a`` and ``win_rate_b`` (share of coordinates that the
    last step did not clip; ``win_rate`` for weights outside LoRA), ``hessian_norm``, and ``estimate_share``:
    the part of the steps' time since the last one that went into estimates. What is not known yet is absent.

    Args:
        *args: Of the Trainer.
        sophia: ``Sophia``'s options beside learning rate and weight decay, and ``estimator``. None: an
            ordinary Trainer, unless it is given a ready-made Sophia as ``optimizers``.
        estimator: ``gnb`` (Gauss-Newton-Bartlett, the default) or ``hutchinson``.
        **kwargs: Of the Trainer.

    Raises:
        FlextuneError: A bad option or another ready-made optimizer; DeepSpeed, FSDP 1, tensor or context
            parallelism; when training begins, a model or batches that the estimator cannot use.
    """

    def __init__(
        self,
        *args: Any,
        sophia: Mapping[str, Any] | None = _NO_OPTIONS,
        estimator: Estimate | None = None,
        **kwargs: Any,
    ) -> None:
        self._sophia, kind = _options_and_estimator(sophia, estimator)
        self._step_batches: list[Any] = []
        self._prepared_batches: list[Any] = []
        #: Processes that take parts of one micro-batch, where those of all are one process's; else None.
        self.shared_by: int | None = None
        self._curvature = _Curvature(self, kind)
        super().__init__(*args, **kwargs)
        if sophia is not None:
            self._sophia_of([torch.zeros(1)])
        self.add_callback(self._curvature)  # type: ignore[attr-defined]

    def create_optimizer(self, model: nn.Module | None = None) -> Optimizer:
        """Sophia over the trainable weights, LoRA's A and B as groups of their own."""
        trainer: Any = self
        if self._sophia is None or trainer.optimizer is not None:
            optimizer: Optimizer = super().create_optimizer(model)  # type: ignore[misc]
            return optimizer
        _refuse_parallelism(trainer)
        optimized = trainer.model if model is None else model
        groups = factor_groups(optimized)
        if trainer.args.weight_decay:
            named = dict(optimized.named_parameters())
            decayed = {id(named[name]) for name in trainer.get_decay_parameter_names(optimized)}
            groups = [part for group in groups for part in _by_decay(group, decayed)]
        trainer.optimizer = self._sophia_of(groups)
        return trainer.optimizer

    def curvature_batch(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """What an estimate takes of a batch: what the model's forward takes, and ``labels``."""
        return labelled(inputs)

    def get_batch_samples(self, *args: Any, **kwargs: Any) -> tuple[list[Any], Any]:
        """The Trainer's micro-batches of one optimizer step, kept until its estimate is made."""
        batches, items = super().get_batch_samples(*args, **kwargs)  # type: ignore[misc]
        self._step_batches = list(batches) if self._curvature.due else []
        return batches, items

    def _prepare_inputs(self, inputs: Any) -> Any:
        """The Trainer's; what was generated for an estimate is handed to the step that follows it."""
        if self._prepared_batches:
            return self._prepared_batches.pop(0)
        return super()._prepare_inputs(inputs)  # type: ignore[misc]

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Add the curvature's numbers to the lines that hold a training loss."""
        if "loss" in logs:
            logs.update(self._curvature.report())
        super().log(logs, *args, **kwargs)  # type: ignore[misc]

    def _sophia_of(self, groups: list[Any]) -> Sophia:
        args = self.args  # type: ignore[attr-defined]
        rates = {"lr": args.learning_rate, "weight_decay": args.weight_decay}
        try:
            return Sophia(groups, **rates, **(self._sophia or {}))
        except (TypeError, ValueError) as error:
            raise FlextuneError(f"optimizer: {str(error).removeprefix('Sophia.__init__() ')}") from error


class _Curvature(TrainerCallback):
    """Makes the estimates when they are due, and knows what they cost."""

    def __init__(self, trainer: Any, kind: Estimate) -> None:
        self.trainer = trainer
        self.kind = kind
        self.optimizer: Sophia | None = None
        self.estimator: Estimator | None = None
        self.reduce_shards: Reduce | None = None
        self._began = self._estimating = self._stepping = 0.0

    @property
    def due(self) -> bool:
        """Whether the coming step needs an estimate."""
        return self.optimizer is not None and self.optimizer.estimate_due

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Take the optimizer and its tensors, after everything that wraps or replaces them."""
        self.optimizer = self.estimator = self.reduce_shards = None
        self.trainer._prepared_batches = []
        self._estimating = self._stepping = 0.0
        optimizer = _innermost(self.trainer.optimizer)
        if not isinstance(optimizer, Sophia):
            if self.trainer._sophia is not None:
                raise FlextuneError(
                    f"optimizer: SophiaMixin has {type(optimizer).__name__} to work with; give it a Sophia as"
                    " optimizers, none, or sophia=None"
                )
            return
        _refuse_parallelism(self.trainer)
        self.optimizer = optimizer
        self._estimate_with(optimizer, args.world_size)

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Make an estimate, where one is due."""
        self._began = time.perf_counter()
        if self.estimator is None or not self.due:
            return
        # What the device has still to do belongs to the step before.
        self._began = now(args.device)
        who = args.process_index if self.estimator.together is None else 0
        self.estimator.reseed(_seed(args.seed, state.global_step, who))
        # Not the model in its DistributedDataParallel, whose hooks would wait for a backward pass.
        self.trainer.model.train()
        batches = self._prepared()
        # What the step would have generated without an estimate is none of the estimate's time.
        start = now(args.device)
        self._take_in(self.estimator, batches)
        assert self.optimizer is not None
        self.optimizer.update_hessian(self.estimator.finish(), reduce=self.reduce_shards)
        self._estimating += now(args.device) - start

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Count the step's time; what is logged, saved and validated after it is not in it."""
        self._stepping += time.perf_counter() - self._began

    def report(self) -> dict[str, float]:
        """Win rates, the norm of h and the estimates' share of the time, since the last report."""
        if self.optimizer is None:
            return {}
        reduce = self.reduce_shards
        numbers: dict[str, float] = {}
        for group in factor_groups(self.trainer.model):
            name = "win_rate" if group["name"] == "other" else f"win_rate_{group['name'].lower()}"
            numbers[name] = self.optimizer.win_rate(group["params"], reduce=reduce)
        if self.estimator is not None:
            numbers["hessian_norm"] = self.optimizer.hessian_norm(reduce=reduce)
            numbers["estimate_share"] = self._estimating / self._stepping if self._stepping else math.nan
        self._estimating = self._stepping = 0.0
        return {name: value for name, value in numbers.items() if not math.isnan(value)}

    def warm_up(self, inputs: Any) -> None:
        """Make an estimate and drop it, so that no timed step loads its kernels."""
        if self.estimator is not None and not generates(self.trainer):
            self._take_in(self.estimator, [self.trainer._prepare_inputs(inputs)])
            self.estimator.finish()

    def _estimate_with(self, optimizer: Sophia, world_size: int) -> None:
        """Make the estimator that fits the optimizer's tensors and the Trainer's batches."""
        groups = optimizer.param_groups
        sharded = any(hasattr(parameter, "to_local") for group in groups for parameter in group["params"])
        reduce = torch.distributed.all_reduce if world_size > 1 else None
        self.reduce_shards = reduce if sharded else None
        if all(group["curvature"] is not None for group in groups):
            return
        shared_by = self.trainer.shared_by
        together = None if shared_by is None or reduce is None else Together(shared_by)
        if self.kind == "hutchinson":
            self.estimator = Hutchinson(groups, reduce=reduce, together=together)
        else:
            averaged = sharded and reduce is not None
            predict = _predict(self.trainer)
            self.estimator = GaussNewtonBartlett(
                groups, predict=predict, reduce=reduce, together=together, averaged=averaged
            )
        refuse_unfit(self.trainer, true_labels=self.kind == "hutchinson")
        try:
            self.estimator.check(self.trainer.model)
        except ValueError as error:
            raise FlextuneError(f"optimizer: {error}") from error

    def _prepared(self) -> Iterable[Any]:
        """The step's micro-batches, ready for the model."""
        trainer = self.trainer
        batches, trainer._step_batches = trainer._step_batches, []
        if not generates(trainer):
            # One by one: they need not lie on the device together.
            return map(trainer._prepare_inputs, batches)
        first, prepared = trainer._step, []
        try:
            for offset, inputs in enumerate(batches):
                # Says which part of what was generated is this micro-batch's, and when to generate again.
                trainer._step = first + offset
                prepared.append(trainer._prepare_inputs(inputs))
        finally:
            trainer._step = first
        trainer._prepared_batches = list(prepared)
        return prepared

    def _take_in(self, estimator: Estimator, batches: Iterable[Any]) -> None:
        trainer = self.trainer
        scaler = getattr(trainer.optimizer, "scaler", None)
        scale = scaler.get_scale() if scaler is not None else 1.0
        try:
            for inputs in batches:
                batch = trainer.curvature_batch(inputs)
                with trainer.compute_loss_context_manager():
                    estimator.accumulate(trainer.model, batch, scale=scale)
        except ValueError as error:
            raise FlextuneError(f"optimizer: {error}") from error


def _options_and_estimator(
    sophia: Mapping[str, Any] | None, estimator: Estimate | None
) -> tuple[dict[str, Any] | None, Estimate]:
    """Sophia's own options, and the estimator from wherever it was given."""
    options = None if sophia is None else dict(sophia)
    inside = None if options is None else options.pop("estimator", None)
    if inside is not None and estimator not in (None, inside):
        raise FlextuneError(f"optimizer: estimator is given twice, {estimator!r} and {inside!r} in sophia")
    kind = estimator or inside or "gnb"
    if kind not in get_args(Estimate):
        raise FlextuneError(f"optimizer: estimator {kind!r}, but it is gnb or hutchinson")
    return options, kind


def _predict(trainer: Any) -> Predict:
    """Logits of the distribution that is trained: a policy's is at its temperature."""
    temperature = float(getattr(trainer, "temperature", 1.0)) if generates(trainer) else 1.0
    if temperature == 1.0:
        return causal_tokens

    def tempered(model: Any, batch: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        logits, labels = causal_tokens(model, batch)
        return logits / temperature, labels

    return tempered


def _refuse_parallelism(trainer: Any) -> None:
    accelerator = trainer.accelerator
    if trainer.is_deepspeed_enabled:
        raise FlextuneError(
            "optimizer: Sophia's estimates do not reach DeepSpeed's own gradients and weights;"
            " use DDP or FSDP2"
        )
    if trainer.is_fsdp_enabled and not accelerator.is_fsdp2:
        raise FlextuneError("optimizer: Sophia needs FSDP 2, and this is FSDP 1: set fsdp_version to 2")
    layout = getattr(accelerator, "parallelism_config", None)
    if layout is not None and layout.non_data_parallel_size > 1:
        raise FlextuneError("optimizer: Sophia's estimates know data parallelism alone; use DDP or FSDP2")


def _innermost(optimizer: Any) -> Optimizer:
    """The optimizer inside accelerate's wrapper."""
    while hasattr(optimizer, "optimizer"):
        optimizer = optimizer.optimizer
    innermost: Optimizer = optimizer
    return innermost


def _by_decay(group: dict[str, Any], decayed: set[int]) -> list[dict[str, Any]]:
    """A group as up to two: with weight decay and without, as the Trainer has them."""
    with_decay = [parameter for parameter in group["params"] if id(parameter) in decayed]
    without = [parameter for parameter in group["params"] if id(parameter) not in decayed]
    parts = [{**group, "params": with_decay}, {**group, "params": without, "weight_decay": 0.0}]
    return [part for part in parts if part["params"]]


def _seed(*of: int) -> int:
    """63 bits that differ wherever one of the numbers does."""
    return int(np.random.SeedSequence(of).generate_state(1, np.uint64)[0] >> np.uint64(1))
