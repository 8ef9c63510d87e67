"""Small softmax models with exact curvatures, to hold estimates and updates against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, hessian, jacrev
from torch.nn.functional import cross_entropy

from flextune.optim.estimator import IGNORED

Batch = dict[str, Tensor]


class Network(nn.Module):
    """Two layers; nothing of it is linear in all parameters."""

    def __init__(self, inputs: int = 4, hidden: int = 3, classes: int = 5) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, hidden)
        self.second = nn.Linear(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(torch.tanh(self.first(x)))


class Lora(nn.Module):
    """A frozen linear softmax layer with LoRA as PEFT starts it: A random, B = 0."""

    def __init__(self, inputs: int = 12, classes: int = 8, rank: int = 4) -> None:
        super().__init__()
        self.base = nn.Linear(inputs, classes, bias=False).requires_grad_(False)
        self.lora_A = nn.Linear(inputs, rank, bias=False)
        self.lora_B = nn.Linear(rank, classes, bias=False)
        nn.init.zeros_(self.lora_B.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + 2.0 * self.lora_B(self.lora_A(x))


def network(seed: int = 0) -> Network:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Network()


def lora(seed: int = 0) -> Lora:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Lora()


def batch(rows: int, *, masked: int = 0, seed: int = 0, inputs: int = 4, classes: int = 5) -> Batch:
    """Random inputs and labels, the first ``masked`` of them -100."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, classes, (rows,), generator=generator)
    labels[:masked] = IGNORED
    return {"x": torch.randn(rows, inputs, generator=generator), "labels": labels}


def predict(model: Any, rows: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
    """Logits and labels of the counted rows."""
    counted = rows["labels"] != IGNORED
    return model(rows["x"][counted]), rows["labels"][counted]


def mean_loss(model: nn.Module, batches: Sequence[Batch]) -> Tensor:
    """Mean cross entropy over the counted rows of all batches."""
    pairs = [predict(model, rows) for rows in batches]
    logits, labels = torch.cat([z for z, _ in pairs]), torch.cat([y for _, y in pairs])
    return cross_entropy(logits, labels)


def weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: p.detach().double() for name, p in model.named_parameters() if p.requires_grad}


def gauss_newton_diagonal(model: nn.Module, x: Tensor) -> list[Tensor]:
    """diag(mean_t J_t^T (diag(p_t) - p_t p_t^T) J_t), from whole Jacobians in float64."""
    fixed = {name: p.detach().double() for name, p in model.named_parameters() if not p.requires_grad}

    def logits(chosen: dict[str, Tensor]) -> Tensor:
        return functional_call(model, {**fixed, **chosen}, (x.double(),))

    chosen = weights(model)
    p = logits(chosen).softmax(-1)
    middle = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    return [
        torch.einsum("tci,tcd,tdi->i", j := jacobian.flatten(2), middle, j).view(chosen[name].shape) / len(x)
        for name, jacobian in jacrev(logits)(chosen).items()
    ]


def hessian_diagonal(model: nn.Module, batches: Sequence[Batch]) -> list[Tensor]:
    """The diagonal of the mean loss's whole Hessian, in float64."""
    doubled = [{"x": rows["x"].double(), "labels": rows["labels"]} for rows in batches]
    fixed = {name: p.detach().double() for name, p in model.named_parameters() if not p.requires_grad}

    def loss(chosen: dict[str, Tensor]) -> Tensor:
        return mean_loss(lambda x: functional_call(model, {**fixed, **chosen}, (x,)), doubled)  # type: ignore[arg-type]

    chosen = weights(model)
    rows = hessian(loss)(chosen)
    return [
        torch.diagonal(rows[name][name].reshape(w.numel(), w.numel())).view(w.shape)
        for name, w in chosen.items()
    ]


def relative_error(found: Sequence[Tensor], exact: Sequence[Tensor]) -> float:
    """Mean over coordinates of |found - exact| / |exact|, those that are exactly zero left out."""
    one = torch.cat([x.flatten().double() for x in found])
    other = torch.cat([x.flatten() for x in exact])
    kept = other != 0
    return float(((one - other).abs()[kept] / other.abs()[kept]).mean())
