from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict
from torch import nn

from flextune.spectral.pairs import LoraPair, lora_pairs
from flextune.spectral.penalty import Penalty

UP = "base_model.model.model.layers.0.mlp.up_proj"


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(11, 6)
        self.up = nn.Linear(6, 9)
        self.down = nn.Linear(9, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(self.up(self.embed(x)))


def adapted(**changes: Any) -> Any:
    options = {"r": 2, "lora_alpha": 6, "target_modules": ["up", "down", "embed"], **changes}
    model = get_peft_model(Block(), LoraConfig(**options))
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            nn.init.normal_(parameter)
    return model


def state(a: torch.Tensor, b: torch.Tensor) -> dict[str, torch.Tensor]:
    return {f"{UP}.lora_A.weight": a, "other.weight": torch.ones(3, 3), f"{UP}.lora_B.weight": b}


def test_pairs_of_a_peft_model_give_its_own_updates() -> None:
    model = adapted()
    pairs = {pair.name: pair for pair in lora_pairs(model)}
    assert list(pairs) == ["embed", "up", "down"]
    for name, pair in pairs.items():
        update = pair.scale * pair.b @ pair.a
        delta = model.base_model.model.get_submodule(name).get_delta_weight("default")
        torch.testing.assert_close(update.T if name == "embed" else update, delta)


def test_saved_tensors_give_the_pairs_of_the_model() -> None:
    model = adapted()
    live, saved = lora_pairs(model), lora_pairs(get_peft_model_state_dict(model), scale=3.0)
    assert [pair.name for pair in saved] == [pair.name for pair in live]
    for one, other in zip(live, saved, strict=True):
        assert torch.equal(one.a, other.a)
        assert torch.equal(one.b, other.b)
        assert one.scale == other.scale == 3.0


def test_rank_patterns_and_other_scalings_are_the_layers_own() -> None:
    model = adapted(rank_pattern={"up": 4}, alpha_pattern={"up": 2}, use_rslora=True)
    scales = {pair.name: pair.scale for pair in lora_pairs(model)}
    assert scales["up"] == pytest.approx(2 / math.sqrt(4))
    assert scales["down"] == pytest.approx(6 / math.sqrt(2))


def test_adapters_are_told_apart_and_frozen_ones_left_out() -> None:
    model = adapted(target_modules=["up"])
    model.add_adapter("second", LoraConfig(r=3, target_modules=["up"]))
    assert [pair.name for pair in lora_pairs(model)] == ["up"]
    everything = lora_pairs(model, trainable=False)
    assert [(pair.name, pair.a.shape[0]) for pair in everything] == [("up", 2), ("up (second)", 3)]
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    with pytest.raises(ValueError, match=r"no LoRA matrix found that trains \(of 2\)"):
        lora_pairs(model)


def test_one_trained_factor_is_enough() -> None:
    model = adapted(target_modules=["up"])
    model.base_model.model.up.lora_A["default"].weight.requires_grad_(False)
    (pair,) = lora_pairs(model)
    assert not pair.a.requires_grad
    assert pair.b.requires_grad


def test_bias_of_an_adapter_is_no_matrix() -> None:
    model = adapted(target_modules=["up"], lora_bias=True)
    assert len(lora_pairs(model)) == 1
    tensors = state(torch.ones(1, 2), torch.ones(3, 1)) | {f"{UP}.lora_B.bias": torch.ones(3)}
    assert len(lora_pairs(tensors)) == 1


def test_what_has_no_lora_matrix_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no LoRA matrix found \(names hold .lora_A. and .lora_B.\)"):
        lora_pairs(Block())
    with pytest.raises(ValueError, match="no LoRA matrix found"):
        lora_pairs({"lora_alpha": torch.ones(1)})


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (torch.tensor([[math.nan, 1.0]]), torch.ones(3, 1), r"up_proj \(lora_A\): holds NaN or infinity"),
        (torch.ones(1, 2), torch.full((3, 1), math.inf), r"up_proj \(lora_B\): holds NaN or infinity"),
        (torch.ones(1, 2, device="meta"), torch.ones(3, 1), r"up_proj \(lora_A\): is on the meta device"),
        (
            torch.ones(1, 2),
            torch.ones(3, 1, dtype=torch.int8),
            r"up_proj \(lora_B\): is quantised or integer",
        ),
        (torch.ones(1, 2), torch.ones(3, 1, dtype=torch.cfloat), r"up_proj \(lora_B\): is complex"),
        (torch.ones(0), torch.ones(3, 1), r"up_proj \(lora_A\): is empty"),
        (torch.ones(2), torch.ones(3, 1), r"up_proj \(lora_A\): shape \(2,\) is no matrix"),
        (torch.ones(2, 4), torch.ones(3, 1), r"up_proj: A of shape \(2, 4\) and B of shape \(3, 1\) differ"),
    ],
)
def test_broken_matrices_are_named(a: torch.Tensor, b: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        lora_pairs(state(a, b))
    assert "\n" not in str(caught.value)


def test_a_factor_without_its_partner_is_named() -> None:
    tensors = state(torch.ones(1, 2), torch.ones(3, 1))
    del tensors[f"{UP}.lora_B.weight"]
    with pytest.raises(ValueError, match=r"model.layers.0.mlp.up_proj: lora_A has no partner"):
        lora_pairs(tensors)


def test_three_lines_train_a_peft_model_towards_less_penalty() -> None:
    model = adapted(target_modules=["up", "down"])
    pairs, penalty = lora_pairs(model), Penalty()
    optimizer = torch.optim.SGD([x for pair in pairs for _, x in pair.factors()], lr=0.1)
    before = penalty.value(pairs).item()
    for _ in range(5):
        optimizer.zero_grad()
        (0.0 * model(torch.arange(4)).sum()).backward()
        penalty.add_gradients_(pairs, 1.0)
        optimizer.step()
    assert penalty.value(pairs).item() < 0.7 * before


def test_pair_needs_no_name() -> None:
    assert [factor for factor, _ in LoraPair(torch.ones(1, 2), torch.ones(3, 1)).factors()] == ["A", "B"]


def test_experts_of_a_mixture_are_counted() -> None:
    class Mixture(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate = nn.Linear(6, 3)
            self.weight = nn.Parameter(torch.zeros(3, 6, 5))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.einsum("bi,eio->beo", x, self.weight).sum(1) * self.gate(x).sum()

    holder = nn.ModuleDict({"experts": Mixture()})
    config = LoraConfig(r=2, target_modules=["gate"], target_parameters=["experts.weight"])
    found = {pair.name: pair.experts for pair in lora_pairs(get_peft_model(holder, config))}
    assert sorted(found.values()) == [1, 3]
