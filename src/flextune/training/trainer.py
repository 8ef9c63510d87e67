"""The project's own Trainer: penalty, Sophia, divergence from the base model, honest validation losses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import cached_property
from typing import Any

import torch
from accelerate.data_loader import prepare_data_loader
from torch import Tensor, nn
from torch.utils.data import BatchSampler, DataLoader, SequentialSampler
from transformers import Trainer

from flextune.errors import DivergedError
from flextune.models.encoding import IGNORED
from flextune.training.batches.choice import Batches
from flextune.training.batches.dealing import Deal, Dealt, Spared
from flextune.training.batches.encoded import Encoded, names_of, texts_of
from flextune.training.batches.padded import COMPARED, COUNTED
from flextune.training.callbacks.measuring import MeasuringCallback
from flextune.training.callbacks.penalty import SpectralCallback, SpectralLossMixin
from flextune.training.callbacks.penalty_term import PenaltyTerm, Way
from flextune.training.callbacks.sophia import SophiaMixin
from flextune.training.counted import counted_loss, counted_targets, divisor, keeps_logits
from flextune.training.kl import base_predictions, summed_divergence
from flextune.training.pieces import half_of, plain_head, rows_at_once, summed_loss, without_head
from flextune.training.processes import agree
from flextune.training.resuming import ResumingMixin
from flextune.training.sharding import ShardingMixin
from flextune.training.usage import PeakMemory, Stopwatch, preserved_generators


class FlexTrainer(ResumingMixin, ShardingMixin, SophiaMixin, SpectralLossMixin, Trainer):
    """Trainer for LoRA.

    The penalty comes as everywhere: ``SpectralCallback`` among the callbacks, or the mixin's ``penalty`` and
    ``strength``. The logged training loss is the task's alone, whatever is added to it; the
    validation loss too, and it is the mean over counted tokens of all processes, not over batches.

    With ``kl`` the loss also has ``kl * KL(adapter || base)``, the mean over the compared tokens (rows'
    ``compared``) of all micro-batches and processes of an optimizer step. Logs then hold ``kl``: the mean of
    that term since the last log. All logs hold ``seconds`` of training, without validation (on the CPU
    ``cpu_seconds`` of this process too), and the last one ``peak_memory_bytes``.

    Before the clock starts, the first batch is passed forward and backward once, its gradients are dropped:
    a device loads its kernels on first use, so a process's first training would take longer than its second.
    Weights, gradients and generators are left as they were.

    The seed (``args.seed``) decides the order of the examples and, by the Trainer, dropout.

    Several processes train the texts that one would train in the same step. With a ``deal`` they also draw
    what one would draw for Sophia's estimates, so that, without dropout, the weights are those of one.

    Args:
        batches: How rows become batches; None: padded, as many rows as the arguments say.
        encoded: What ``train_dataset`` is, for errors that name an example.
        deal: How several processes share ``batches``, which are then those of one process; None: each has as
            many rows as the arguments say.
        base: The model without the adapter, in evaluation mode; needed with ``kl``.
        kl: Weight of the divergence.
        kl_non_target: The divergence leaves out what each text's next token is.
        sophia: ``SophiaMixin``'s; None: another optimizer.
        **kwargs: Of ``ResumingMixin``, ``ShardingMixin``, ``SophiaMixin``, ``SpectralLossMixin`` and
            ``transformers.Trainer``.

    Raises:
        DivergedError: While training, at the first loss that is not finite.
    """

    def __init__(
        self,
        *,
        batches: Batches | None = None,
        encoded: Encoded | None = None,
        deal: Deal | None = None,
        base: nn.Module | None = None,
        kl: float = 0.0,
        kl_non_target: bool = False,
        sophia: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if batches is not None:
            kwargs["data_collator"] = batches.collate
        super().__init__(sophia=sophia, **kwargs)
        self.batches = batches or Batches("padded", self.data_collator, self.args.train_batch_size)
        if getattr(self.data_collator, "counted", False):
            self.compute_loss_func = self._counted_loss
        self._counted: Tensor | None = None
        self._head: nn.Linear | None = None
        self.encoded = encoded
        self.deal = deal or Deal(1, self.args.gradient_accumulation_steps)
        self.shared_by = None if deal is None else deal.parts
        self.base = base
        self.kl = kl
        self.kl_non_target = kl_non_target
        self._compared: Tensor | float = 1.0
        self._divergence: Tensor | float = 0.0
        self._divergence_steps = 0
        self._held_out = torch.zeros(2, dtype=torch.float64)
        self._stopwatch = Stopwatch(self.args.device)
        self._memory = PeakMemory(self.args.device)
        for member in self.callback_handler.callbacks:
            if isinstance(member, MeasuringCallback):
                member.apart = self._stopwatch.paused
        self._weights_per_token = sum(parameter.numel() for parameter in self.model.parameters())

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Tensor:
        """One micro-batch, refused if its loss is not finite."""
        loss = super().training_step(model, inputs, num_items_in_batch)
        # Reading the loss waits for the device; on the CPU that costs nothing.
        look = loss.device.type == "cpu" or self.state.global_step % self.args.logging_steps == 0
        if look:
            agree(None if math.isfinite(loss.item()) else self._diverged(loss, inputs))
        return loss

    def _diverged(self, loss: Tensor, inputs: dict[str, Any]) -> DivergedError:
        texts = "" if self.encoded is None else f"example {self._culprits(inputs, self.encoded)}; "
        return DivergedError(
            f"the loss is {loss.item()} at step {self.state.global_step + 1} ({texts}learning rate "
            f"{self._get_learning_rate():.3g}, {self.model.dtype}): lower train.learning_rate"
            " or use a wider dtype"
        )

    def _culprits(self, inputs: dict[str, Any], encoded: Encoded) -> str:
        """The names of a batch's texts whose own loss is not finite; of all, where each alone is fine."""
        named = list(zip(names_of(inputs, encoded), texts_of(inputs), strict=True))
        if self.shard:
            # A pass of one process alone would wait for the others' parts of the weights.
            return ", ".join(dict.fromkeys(name for name, _ in named))
        with torch.no_grad(), preserved_generators(self.args.device):
            ids = [text[None].to(self.args.device) for _, text in named]
            losses = [self.model(input_ids=each, labels=each, use_cache=False).loss.item() for each in ids]
        bad = [name for (name, _), loss in zip(named, losses, strict=True) if not math.isfinite(loss)]
        return ", ".join(dict.fromkeys(bad or [name for name, _ in named]))

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> tuple[list[Any], Any]:
        """The micro-batches of one optimizer step; counts the tokens that the divergence is a mean over."""
        batches, items = super().get_batch_samples(epoch_iterator, num_batches, device)
        if not self._stopwatch.started:
            # The Trainer sets it after this, and a loss may be divided by it.
            self.current_gradient_accumulation_steps = len(batches)
            self._warm_up(batches[:1], items)
            self._stopwatch.start()
        if self.kl:
            counted = sum(int(batch[COMPARED][:, 1:].sum()) for batch in batches)
            everywhere = self.accelerator.gather(torch.tensor([counted], device=device))
            # DDP takes the mean of the processes' gradients: their divisor is the mean number of tokens.
            self._compared = everywhere.sum().clamp(min=1) / len(everywhere)
            self._divergence_steps += 1
        return batches, items

    def _warm_up(self, batches: Sequence[dict[str, Any]], items: Any) -> None:
        """Do what a step does, and take all of it back."""
        # A resumed training has sums already.
        sums = self._divergence, self._divergence_steps
        model = self.model_wrapped
        model.train()
        with preserved_generators(self.args.device):
            for batch in batches:
                with self.compute_loss_context_manager():
                    inputs = self._prepare_inputs(dict(batch))
                    loss = self.compute_loss(model, inputs, num_items_in_batch=items)
                self.accelerator.backward(loss)
                self._curvature.warm_up(dict(batch))
            for term, way in self._terms():
                term.warm_up(way)
        model.zero_grad()
        self._divergence, self._divergence_steps = sums

    def _terms(self) -> Iterator[tuple[PenaltyTerm, Way]]:
        if self._term is not None:
            yield self._term, "loss"
        for callback in self.callback_handler.callbacks:
            if isinstance(callback, SpectralCallback):
                yield callback.term, callback.apply

    def curvature_batch(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Without what the model's forward does not take."""
        return {key: value for key, value in inputs.items() if key not in (COMPARED, COUNTED)}

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """The task's loss, and in training what is added to it."""
        compared, self._counted = inputs.pop(COMPARED, None), inputs.pop(COUNTED, None)
        self._head = None
        if compared is None or not self.kl:
            if self._counted is not None and keeps_logits(self.model):
                inputs = {**inputs, "logits_to_keep": self._counted}
                self._head = self._head_of(len(inputs["labels"]) * len(self._counted))
            with nullcontext() if self._head is None else without_head(self._head):
                return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        loss, outputs = super().compute_loss(model, inputs, True, num_items_in_batch)
        with self.accelerator.autocast():
            base_logits = base_predictions(self.base, inputs["input_ids"], inputs.get("position_ids"))
        targets = inputs["input_ids"] if self.kl_non_target else None
        divergence = summed_divergence(outputs.logits, base_logits, compared, targets)
        share = self.kl * divergence / self._compared
        self._divergence = self._divergence + share.detach()
        loss = loss + self._beside(share.to(loss.dtype), num_items_in_batch)
        return (loss, outputs) if return_outputs else loss

    @cached_property
    def _plain_head(self) -> nn.Linear | None:
        """The output layer, where losses can be computed in pieces."""
        return None if self.shard or self.args.torch_compile else plain_head(self.model)

    def _head_of(self, tokens: int) -> nn.Linear | None:
        """The output layer, where so many tokens' logits are too many at once."""
        head = self._plain_head
        return None if head is None or tokens <= rows_at_once(head) else head

    def _counted_loss(self, outputs: Any, labels: Tensor, num_items_in_batch: Any = None) -> Tensor:
        """The loss of a batch that says which positions count; its logits are of those, or of all.

        Where the loss is computed in pieces, they are what the output layer is given.
        """
        assert self._counted is not None
        logits = outputs.logits
        if logits.shape[1] == labels.shape[1]:
            logits = logits[:, self._counted]
        if self._head is None:
            return counted_loss(logits, labels, self._counted, num_items_in_batch)
        targets = counted_targets(labels, self._counted)
        total = summed_loss(logits.flatten(0, 1), self._head, targets, half_of(self.args))
        return total / divisor(targets, num_items_in_batch)

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Add the seconds of training, ``kl`` to lines with a training loss, the memory to the last line."""
        logs["seconds"] = self._stopwatch.seconds
        if self.args.device.type == "cpu":
            logs["cpu_seconds"] = self._stopwatch.cpu_seconds
        if "train_runtime" in logs and (peak := self._memory.bytes) is not None:
            logs["peak_memory_bytes"] = peak
        if self.kl and "loss" in logs:
            mine = torch.tensor(float(self._divergence), dtype=torch.float64, device=self.args.device)
            logs["kl"] = float(self.accelerator.reduce(mine, "mean")) / max(self._divergence_steps, 1)
            self._divergence, self._divergence_steps = 0.0, 0
        super().log(logs, *args, **kwargs)

    def prediction_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Count what each batch adds to the mean over tokens."""
        across = self.args.average_tokens_across_devices
        # A mean over this process's tokens, whose number is its weight.
        self.args.average_tokens_across_devices = False
        try:
            result = super().prediction_step(model, inputs, *args, **kwargs)
        finally:
            self.args.average_tokens_across_devices = across
        tokens = int(inputs["labels"][:, 1:].ne(IGNORED).sum())
        if tokens:
            self._held_out += torch.tensor([result[0].item() * tokens, tokens], dtype=torch.float64)
        return result

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """The Trainer's, whose time is not counted as training."""
        with self._stopwatch.paused():
            return dict(super().evaluate(*args, **kwargs))

    def evaluation_loop(self, *args: Any, metric_key_prefix: str = "eval", **kwargs: Any) -> Any:
        """As the Trainer's, which averages over batches however many tokens they count."""
        self._held_out.zero_()
        output = super().evaluation_loop(*args, metric_key_prefix=metric_key_prefix, **kwargs)
        held_out = self._held_out
        if self.accelerator.num_processes > 1:
            held_out = self.accelerator.reduce(held_out.to(self.args.device), "sum")
        total, tokens = held_out.tolist()
        output.metrics[f"{metric_key_prefix}_loss"] = total / tokens
        return output

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """As the Trainer's, which counts the model's parameters again for every batch."""
        return int(6 * inputs["input_ids"].numel() * self._weights_per_token)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Batches in an order that the seed and the epoch decide, also where a resume begins within one."""
        lengths = [len(row["input_ids"]) for row in self.train_dataset]
        self._sampler = self.batches.sampler(lengths, self.args.seed)
        return self._loader(self.train_dataset, self._sampler, self.deal)

    def get_eval_dataloader(self, eval_dataset: Any = None) -> DataLoader[Any]:
        """As the Trainer's; several processes share each batch, and none is filled up with texts twice."""
        rows = self.eval_dataset if eval_dataset is None else eval_dataset
        if self.args.world_size == 1 or not isinstance(rows, Sequence):
            return super().get_eval_dataloader(eval_dataset)
        in_order: Any = SequentialSampler(rows)
        batches = BatchSampler(in_order, self.args.eval_batch_size, drop_last=False)
        return self._loader(rows, batches, Deal(self.args.world_size, 1))

    def _loader(self, rows: Any, batches: Any, deal: Deal) -> DataLoader[Any]:
        """This process's part of batches."""
        args, collate = self.args, self.data_collator
        if args.world_size > 1:
            batches = Dealt(batches, deal, args.world_size, args.process_index)
            collate = Spared(collate, rows)
        loader: DataLoader[Any] = DataLoader(
            rows,
            batch_sampler=batches,
            collate_fn=collate,
            num_workers=args.dataloader_num_workers,
            pin_memory=args.dataloader_pin_memory,
        )
        if args.world_size == 1:
            alone: DataLoader[Any] = self.accelerator.prepare(loader)
            return alone
        # Dealt out above, and equally in all processes: accelerate would repeat texts to fill the last step.
        prepared: DataLoader[Any] = prepare_data_loader(
            loader, self.accelerator.device, num_processes=1, process_index=0, put_on_device=True
        )
        return prepared
