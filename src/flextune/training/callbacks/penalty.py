"""The penalty in any transformers or TRL Trainer: a callback (gradient, proximal) and a mixin (loss).

One optimizer step of a transformers Trainer, with the places where a penalty can act:

    on_step_begin           ``gradient``: the penalty's gradient is put into the empty ``.grad``
    forward, backward       once per micro-batch; ``loss``: the last one's loss holds the term
    unscale and clip        whatever max_grad_norm is: with 0 the norm is still taken, so float16 is unscaled
    on_pre_optimizer_step   (what is added here escapes clipping)
    optimizer.step          perhaps skipped, in float16
    on_optimizer_step       ``proximal``; fires for skipped steps too
    scheduler, zero_grad, on_step_end

The weights do not change between on_step_begin and the optimizer's step, so the gradient at the first is that
at the second. DDP averages what all processes hold alike, FSDP2 adds to it.
"""

from __future__ import annotations

from typing import Any, get_args

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from flextune.errors import FlextuneError
from flextune.training.callbacks.handlers import handler_of
from flextune.training.callbacks.penalty_term import CallbackWay, PenaltyTerm, Which


class SpectralCallback(TrainerCallback):
    """The frequency-domain penalty for any ``transformers.Trainer``, TRL's included.

        trainer = SFTTrainer(..., callbacks=[SpectralCallback(strength=0.02)])

    ``gradient`` adds the exact gradient of ``strength * L`` once per optimizer step, however many
    micro-batches make one. It is in the gradient before clipping, so task and penalty are clipped together
    and the logged norm is that of their sum, as if the term were in the loss; the logged losses stay free
    of it. It carries the loss scale of float16, and a skipped step drops it.

    ``proximal`` moves the weights after the optimizer's step by the exact proximal step of
    ``learning_rate * strength``, with the learning rate of that step; not after a skipped one. Clipping never
    touches it, and ``strength`` is on the scale of AdamW's weight decay
    (``flextune.spectral.form.decoupled_strength``).

    The way ``loss`` needs the loss, which a callback does not see: ``SpectralLossMixin``.

    Log lines with a training loss also get ``penalty``: the mean of ``strength * L`` since the last one, or
    (``proximal``) what it is then. Reporters see it wherever they stand in the Trainer's list, because the
    callback moves to its front when training begins; ``state.log_history`` has it too.

    Where a start takes A and B out of the base weights (PiSSA, OLoRA, CorDA, LoRA-GA, LoftQ), the penalty is
    of what has changed since training began. Several adapters that train at once are all penalised.

    No seed has a part in this, but for kind ``permuted``, whose form has its own (``PenaltyForm.seed``).

    Args:
        penalty: A preset's name, a form, or a penalty.
        strength: lambda; 0 does nothing.
        apply: ``gradient`` or ``proximal``.

    Raises:
        FlextuneError: An unknown way or preset, or a bad strength; when training begins, no trainable LoRA
            matrix, another method than LoRA (AdaLoRA, LoHa, VeRA and so on) by its name, or DeepSpeed, which
            keeps gradients and weights of its own.
    """

    def __init__(
        self, penalty: Which = "default", *, strength: float, apply: CallbackWay = "gradient"
    ) -> None:
        if apply not in get_args(CallbackWay):
            raise FlextuneError(
                f"apply {apply!r}: a callback knows gradient and proximal; loss takes SpectralLossMixin"
            )
        self.apply = apply
        self.term = PenaltyTerm(penalty, strength)
        self._in_gradient = False

    def on_init_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: Any = None,
        **kwargs: Any,
    ) -> None:
        """Note where the adapter starts."""
        if isinstance(model, nn.Module):
            self.term.note_start(model)

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: Any = None,
        **kwargs: Any,
    ) -> None:
        """Take the adapter's matrices, and the first place among the callbacks."""
        if getattr(args, "deepspeed_plugin", None) is not None:
            raise FlextuneError(
                f"penalty: apply {self.apply} does not reach DeepSpeed's own gradients and weights;"
                " use FSDP2, or apply: loss (SpectralLossMixin)"
            )
        self.term.collect(model, resumed=_resumed(state))
        self._in_gradient = False
        _stand_first(self)

    def on_step_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        optimizer: Any = None,
        **kwargs: Any,
    ) -> None:
        """Under ``gradient``, put the penalty's gradient into the empty ``.grad``."""
        # An epoch of unknown length may end within a step, which then begins again with the gradient kept.
        if self.apply != "gradient" or not self.term.strength or self._in_gradient:
            return
        scaler = getattr(optimizer, "scaler", None)
        scale = self.term.strength * (scaler.get_scale() if scaler is not None else 1.0)
        self.term.record(self.term.penalty.add_gradients_(self.term.pairs, scale))
        self._in_gradient = True

    def on_optimizer_step(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        optimizer: Any = None,
        **kwargs: Any,
    ) -> None:
        """Under ``proximal``, take the proximal step after the optimizer's."""
        self._in_gradient = False
        if (
            self.apply != "proximal"
            or not self.term.strength
            or getattr(optimizer, "step_was_skipped", False)
        ):
            return
        self.term.penalty.proximal_(self.term.pairs, self._rate(optimizer) * self.term.strength)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Add ``penalty`` where a training loss is logged."""
        if logs is None or "loss" not in logs:
            return
        if self.apply == "proximal" and self.term.strength:
            with torch.no_grad():
                self.term.record(self.term.penalty.value(self.term.pairs))
        logs["penalty"] = state.log_history[-1]["penalty"] = self.term.report()

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of it: the penalty since the last log."""
        return self.term.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.term.load_state_dict(state)

    def _rate(self, optimizer: Optimizer) -> float:
        """The learning rate of the penalised matrices.

        Raises:
            FlextuneError: They have several, or none.
        """
        mine = {id(x) for x in self.term.penalty.penalised(self.term.pairs) if x.requires_grad}
        groups = optimizer.param_groups
        rates = {float(group["lr"]) for group in groups if any(id(x) in mine for x in group["params"])}
        if len(rates) != 1:
            listed = ", ".join(f"{rate:g}" for rate in sorted(rates)) or "none"
            raise FlextuneError(
                "penalty: apply proximal needs one learning rate for all penalised matrices"
                f" (found: {listed})"
            )
        return rates.pop()


def _stand_first(callback: TrainerCallback) -> None:
    """Move a callback to the front of the list that is being called.

    Trainers put reporters (W&B, TensorBoard) ahead of the callbacks that they are given.
    """
    if (handler := handler_of(callback)) is not None:
        # The loop over the list goes on behind this callback: those ahead of it move up by one place.
        handler.callbacks.remove(callback)
        handler.callbacks.insert(0, callback)


class SpectralLossMixin:
    """``strength * L`` in a Trainer's loss, for autograd to differentiate.

        class Trainer(SpectralLossMixin, SFTTrainer): ...
        trainer = Trainer(..., strength=0.02)

    The term enters once per optimizer step, with the last micro-batch, whatever normalises the loss. Clipping
    and loss scaling see one gradient, of task and penalty, and a skipped step skips both. Every process adds
    the same term, whose mean over processes is the term. Evaluation and the logged training loss are free of
    it; ``penalty`` is logged beside them, as the mean of ``strength * L`` since the last log.

    ``SpectralCallback`` has the same gradient without a graph; this way is autograd alone, for whatever
    takes gradients in a way of its own (DeepSpeed's ZeRO stages 1 and 2; not tested).

    Args:
        *args: Of the Trainer.
        penalty: A preset's name, a form, or a penalty; None: the default one.
        strength: lambda; 0 does nothing. None, without a penalty: an ordinary Trainer.
        **kwargs: Of the Trainer.

    Raises:
        FlextuneError: As ``SpectralCallback``; a penalty without a strength.
    """

    _due = False
    _beside_task: Tensor | float = 0.0

    def __init__(
        self, *args: Any, penalty: Which | None = None, strength: float | None = None, **kwargs: Any
    ) -> None:
        if penalty is not None and strength is None:
            raise FlextuneError("penalty: it needs a strength beside it, such as strength=0.02")
        self._term = (
            None if strength is None else PenaltyTerm("default" if penalty is None else penalty, strength)
        )
        super().__init__(*args, **kwargs)
        if self._term is not None:
            # None where the Trainer makes its model when training begins.
            if isinstance(model := getattr(self, "model", None), nn.Module):
                self._term.note_start(model)
            self.add_callback(_Collector(self._term))  # type: ignore[attr-defined]

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Tensor:
        """One micro-batch; the loss that it returns, and the Trainer logs, is the task's alone."""
        last = self.accelerator.sync_gradients  # type: ignore[attr-defined]
        self._due = self._term is not None and self._term.strength > 0 and last
        self._beside_task = 0.0
        loss: Tensor = super().training_step(model, inputs, num_items_in_batch)  # type: ignore[misc]
        return loss - self._beside_task

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The Trainer's, with the term in the last micro-batch of a step."""
        result = super().compute_loss(  # type: ignore[misc]
            model, inputs, return_outputs=return_outputs, num_items_in_batch=num_items_in_batch
        )
        if not self._due or self._term is None:
            return result
        self._due = False
        value = self._term.penalty.value(self._term.pairs)
        self._term.record(value)
        loss, *rest = result if return_outputs else (result,)
        share = (self._term.strength * value).to(loss.device)
        loss = loss + self._beside(share, num_items_in_batch)
        return (loss, *rest) if return_outputs else loss

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Add ``penalty`` to the lines that hold a training loss."""
        if self._term is not None and "loss" in logs:
            logs["penalty"] = self._term.report()
        super().log(logs, *args, **kwargs)  # type: ignore[misc]

    def _beside(self, share: Tensor, num_items_in_batch: Any) -> Tensor:
        """What ``compute_loss`` must add for ``share`` to enter the step's loss, and not the logged one."""
        self._beside_task = self._beside_task + share.detach()
        return share * _divisor(self, num_items_in_batch)


class _Collector(TrainerCallback):
    """Takes the adapter's matrices when the Trainer has prepared the model."""

    def __init__(self, term: PenaltyTerm) -> None:
        self.term = term

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        model: Any = None,
        **kwargs: Any,
    ) -> None:
        """Take them, after everything that replaces parameters."""
        self.term.collect(model, resumed=_resumed(state))


def _resumed(state: TrainerState | None) -> bool:
    """Whether the weights are a checkpoint's."""
    return state is not None and state.global_step > 0


def _divisor(trainer: Any, num_items_in_batch: Any) -> int:
    """What the Trainer divides ``compute_loss`` by, where the loss is a mean over one micro-batch."""
    scaled = getattr(trainer, "loss_is_scaled_for_ga", None)
    if scaled is None:
        counted = trainer.model_accepts_loss_kwargs and num_items_in_batch is not None
        scaled = counted or trainer.compute_loss_func is not None
    return 1 if scaled else int(trainer.current_gradient_accumulation_steps)
