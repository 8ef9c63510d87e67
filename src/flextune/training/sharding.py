"""FSDP2: each process holds its part of every weight; torch's own ``fully_shard``, on CPU and CUDA alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from flextune.spectral.sharding import is_sharded, whole
from flextune.training.processes import rank, world

_MARK = "shard of"


class ShardingMixin:
    """A Trainer whose model is sharded by FSDP2 when its training begins.

    Checkpoints then have a file of each process with its part of the optimizer's state, so a training goes
    on with as many processes as wrote them. The adapter in them is whole.

    Args:
        *args: Of the Trainer.
        shard: Whether to do so.
        **kwargs: Of the Trainer.
    """

    def __init__(self, *args: Any, shard: bool = False, **kwargs: Any) -> None:
        self.shard = shard
        super().__init__(*args, **kwargs)

    def create_optimizer(self, model: nn.Module | None = None) -> Optimizer:
        """The Trainer's, over the shards."""
        trainer: Any = self
        if self.shard and not any(map(is_sharded, trainer.model.parameters())):
            shard_model(trainer.model, trainer.args.device)
        optimizer: Optimizer = super().create_optimizer(model)  # type: ignore[misc]
        return optimizer

    def _move_model_to_device(self, model: Any, device: Any) -> None:
        # Layer after layer goes there when it is sharded: the whole model may not fit.
        if not self.shard:
            super()._move_model_to_device(model, device)  # type: ignore[misc]

    def _wrap_model(self, model: Any, training: bool = True, **kwargs: Any) -> Any:
        if not self.shard or not training:
            return super()._wrap_model(model, training=training, **kwargs)  # type: ignore[misc]
        accelerator = self.accelerator  # type: ignore[attr-defined]
        # Autocast and compilation only; what is no longer the model itself gets no DistributedDataParallel.
        return _Passing(accelerator.prepare_model(model, device_placement=False, evaluation_mode=True))

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        if not self.shard:
            super()._save_optimizer_and_scheduler(output_dir)  # type: ignore[misc]
            return
        trainer: Any = self
        folder = Path(output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(packed(trainer.optimizer.state_dict()), folder / _part(rank()))
        if rank() == 0:
            torch.save(trainer.lr_scheduler.state_dict(), folder / "scheduler.pt")

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if not self.shard or checkpoint is None:
            super()._load_optimizer_and_scheduler(checkpoint)  # type: ignore[misc]
            return
        trainer: Any = self
        folder = Path(checkpoint)
        state = torch.load(folder / _part(rank()), map_location="cpu", weights_only=True)
        trainer.optimizer.load_state_dict(unpacked(state, trainer.model))
        trainer.lr_scheduler.load_state_dict(torch.load(folder / "scheduler.pt", weights_only=True))


class _Passing(nn.Module):
    """Calls a model; a Trainer takes it for one that is wrapped already."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, **inputs: Any) -> Any:
        return self.model(**inputs)


def shard_model(model: Any, device: torch.device) -> None:
    """Shard a view of a model over all processes: its decoder layers one by one, then the rest.

    Args:
        model: With its adapter. The base model that it is a view of is left whole, and where it is.
        device: Where the shards lie.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    _own_tensors(model)
    mesh = init_device_mesh(device.type, (world(),))
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    layers = set(getattr(base, "_no_split_modules", None) or ())
    for module in list(model.modules()):
        if type(module).__name__ in layers:
            fully_shard(module, mesh=mesh)
    fully_shard(model, mesh=mesh)


def whole_state(model: nn.Module) -> dict[str, Tensor] | None:
    """The trainable weights of a sharded model, whole; None of a model that is not. A collective call."""
    named = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    if not any(map(is_sharded, named.values())):
        return None
    return {name: whole(weight).detach().cpu() for name, weight in named.items()}


def packed(value: Any) -> Any:
    """A state with plain tensors in place of shards, which can be saved."""
    if isinstance(value, dict):
        return {key: packed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [packed(item) for item in value]
    if isinstance(value, Tensor) and is_sharded(value):
        part: Any = value
        return {_MARK: list(part.shape), "stride": list(part.stride()), "part": part.to_local()}
    return value


def unpacked(value: Any, model: nn.Module) -> Any:
    """The state that was packed, with shards as the model has them."""
    shards: list[Any] = [weight for weight in model.parameters() if is_sharded(weight)]
    return _unpacked(value, shards[0]) if shards else value


def _unpacked(value: Any, like: Any) -> Any:
    from torch.distributed.tensor import DTensor

    if isinstance(value, dict) and _MARK in value:
        shape, stride = torch.Size(value[_MARK]), tuple(value["stride"])
        part = value["part"].to(like.to_local().device)
        return DTensor.from_local(
            part, like.device_mesh, like.placements, shape=shape, stride=stride, run_check=False
        )
    if isinstance(value, dict):
        return {key: _unpacked(item, like) for key, item in value.items()}
    return [_unpacked(item, like) for item in value] if isinstance(value, list) else value


def _own_tensors(model: nn.Module) -> None:
    """Give a view tensors of its own over the same memory: sharding moves tensors in place."""
    made: dict[int, Any] = {}
    for module in model.modules():
        for name, weight in module._parameters.items():
            if weight is not None and not weight.requires_grad:
                own = made.setdefault(id(weight), nn.Parameter(weight.data, requires_grad=False))
                module._parameters[name] = own
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = made.setdefault(id(buffer), buffer.detach())


def _part(number: int) -> str:
    return f"optimizer_{number}.pt"
