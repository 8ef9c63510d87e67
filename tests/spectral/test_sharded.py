"""Two processes over gloo: DDP, and FSDP2, whose parameters are DTensors, against one process."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn

from flextune.spectral.form import PenaltyForm
from flextune.spectral.pairs import lora_pairs
from flextune.spectral.penalty import Penalty

STRENGTH = 0.3
FORMS = [
    PenaltyForm(),
    PenaltyForm(kind="permuted", norm="backward", reduction="mean"),
    PenaltyForm(kind="reversed", flatten="rank", sides="two"),
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


def difference(wrapper: str, rank: int, form: PenaltyForm, way: str) -> str | None:
    """Where this process's numbers are not those of a single one."""
    found = outcome(WRAPPERS[wrapper](model()), batch()[rank * 2 : rank * 2 + 2], form, way)
    expected = outcome(model(), batch(), form, way)
    for name, wanted in expected.items():
        for one, other in zip(found[name], wanted, strict=True):
            if not torch.allclose(one, other, rtol=1e-11, atol=1e-13):
                return f"{way} of {form}: {name} is\n{one}\nnot\n{other}"
    return None


def work(rank: int, folder: str) -> None:
    """One process: a file for what differs, and one that says that it came to the end."""
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    try:
        assert all(hasattr(x, "full_tensor") for x in parameters(sharded(model())))
        for wrapper in WRAPPERS:
            found = [text for form, way in every_way() if (text := difference(wrapper, rank, form, way))]
            Path(folder, f"{wrapper}-{rank}").write_text("\n".join(found))
    finally:
        dist.destroy_process_group()


def has_gloo() -> bool:
    names = [name for _, name in socket.if_nameindex()]
    return dist.is_available() and dist.is_gloo_available() and "lo" in names


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes wrote; starting them takes far longer than their work."""
    folder = tmp_path_factory.mktemp("processes")
    context = mp.get_context("spawn")
    processes = [context.Process(target=work, args=(rank, str(folder))) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=300)
        if process.is_alive():
            process.kill()
            process.join()
    return folder


@pytest.mark.skipif(not has_gloo(), reason="needs torch with gloo and a loopback interface named lo")
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_two_processes_have_the_values_gradients_and_steps_of_one(wrapper: str, findings: Path) -> None:
    assert [(findings / f"{wrapper}-{rank}").read_text() for rank in range(2)] == ["", ""]
