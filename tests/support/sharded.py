"""FSDP2 in a Trainer on the CPU."""

from __future__ import annotations

from typing import Any

import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from transformers import Trainer


class Sharded(Trainer):
    """FSDP2 by hand where there are processes: accelerate has it for accelerators alone."""

    def create_optimizer(self, model: Any = None) -> Any:
        if dist.is_initialized():
            mesh = init_device_mesh("cpu", (dist.get_world_size(),))
            for layer in self.model.get_base_model().model.layers:
                fully_shard(layer, mesh=mesh)
            fully_shard(self.model, mesh=mesh)
        return super().create_optimizer(model)

    def _wrap_model(self, model: Any, *args: Any, **kwargs: Any) -> Any:
        # What is no longer the model itself is not wrapped in DDP either.
        return Passing(model) if dist.is_initialized() else super()._wrap_model(model, *args, **kwargs)


class Passing(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, **inputs: Any) -> Any:
        return self.model(**inputs)
