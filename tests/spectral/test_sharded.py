"""Two processes over gloo: DDP, and FSDP2, whose parameters are DTensors, against one process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import torch
from tests.support.processes import Together, needs_gloo, run_in_two_processes
from torch import Tensor, nn

from flextune.spectral.form import PenaltyForm
from flextune.spectral.pairs import lora_pairs
from flextune.spectral.penalty import Penalty

STRENGTH = 0.3
FORMS = [
    PenaltyForm(),
    PenaltyForm(kind="permuted", norm="backward", reduction="mean"),
    PenaltyForm(kind="reversed", flatten="rank", onesided=False),
    PenaltyForm(kind="l2", flatten="column"),
    PenaltyForm(kind="update"),
]


class LoraLinear(nn.Module):
    """An adapted linear layer with PEFT's names."""

    def __init__(self, inputs: int, outputs: int, rank: int) -> None:
        super().__init__()
        self.base = nn.Linear(inputs, outputs).requires_grad_(False)
        self.lora_A = nn.ModuleDict({"default": nn.Linear(inputs, rank, bias=False)})
        self.lora_B = nn.ModuleDict({"default": nn.Linear(rank, outputs, bias=False)})
        self.scaling = {"default": 2.0}

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + 2.0 * self.lora_B["default"](self.lora_A["default"](x))


def model() -> nn.Sequential:
    """Ranks and widths that two processes cannot halve, and two layers of one shape."""
    torch.manual_seed(0)
    return nn.Sequential(LoraLinear(7, 9, 3), LoraLinear(9, 7, 3), LoraLinear(7, 9, 3)).double()


def batch() -> Tensor:
    return torch.randn(4, 7, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def loss(module: nn.Module, inputs: Tensor) -> Tensor:
    return module(inputs).square().mean()


def sharded(module: nn.Module) -> nn.Module:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh("cpu", (2,))
    for layer in module:  # type: ignore[attr-defined]
        fully_shard(layer, mesh=mesh)
    fully_shard(module, mesh=mesh)
    assert all(hasattr(parameter, "full_tensor") for parameter in parameters(module))
    return module


def replicated(module: nn.Module) -> nn.Module:
    return nn.parallel.DistributedDataParallel(module)


WRAPPERS: dict[str, Callable[[nn.Module], nn.Module]] = {"ddp": replicated, "fsdp": sharded}


def gathered(tensors: list[Any]) -> list[Tensor]:
    return [x.full_tensor() if hasattr(x, "full_tensor") else x for x in tensors]


def parameters(module: nn.Module) -> list[Any]:
    return [parameter for parameter in module.parameters() if parameter.requires_grad]


def outcome(module: nn.Module, inputs: Tensor, form: PenaltyForm, way: str) -> dict[str, list[Tensor]]:
    """The penalty's value, then gradients or weights after it was applied in one way."""
    pairs, penalty = lora_pairs(module), Penalty(form)
    value = penalty.value(pairs)
    if way == "loss":
        (loss(module, inputs) + STRENGTH * penalty.value(pairs)).backward()
    elif way == "gradient":
        loss(module, inputs).backward()
        penalty.add_gradients_(pairs, STRENGTH)
        nn.utils.clip_grad_norm_(module.parameters(), 0.05)
    else:
        penalty.proximal_(pairs, STRENGTH)
    tensors = [x if way == "proximal" else x.grad for x in parameters(module)]
    return {"value": [value.detach()], "tensors": [x.detach() for x in gathered(tensors)]}


def every_way() -> Iterator[tuple[PenaltyForm, str]]:
    for form in FORMS:
        for way in ("loss", "gradient", "proximal"):
            yield form, way


def differences(wrapper: str, rank: int) -> list[str]:
    """Where this process's numbers are not those of a single one."""
    found = []
    for form, way in every_way():
        here = outcome(WRAPPERS[wrapper](model()), batch()[rank * 2 : rank * 2 + 2], form, way)
        alone = outcome(model(), batch(), form, way)
        for name, expected in alone.items():
            for one, other in zip(here[name], expected, strict=True):
                if not torch.allclose(one, other, rtol=1e-11, atol=1e-13):
                    found.append(f"{way} of {form}: {name} is\n{one}\nnot\n{other}")
    return found


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Together:
    jobs = {wrapper: partial(differences, wrapper) for wrapper in WRAPPERS}
    return run_in_two_processes(jobs, tmp_path_factory.mktemp("processes"))


@needs_gloo
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_two_processes_have_the_values_gradients_and_steps_of_one(wrapper: str, together: Together) -> None:
    assert together.returned(wrapper) == [[], []]
