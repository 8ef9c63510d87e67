"""What PEFT's methods, options and starts are to a penalty: taken as what they are, or refused by name."""

from __future__ import annotations

import warnings
from typing import Any

import peft
import pytest
import torch
from peft import LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict
from tests.spectral.reference import dense_penalty
from torch import nn

from flextune.spectral.form import PenaltyForm
from flextune.spectral.pairs import lora_pairs
from flextune.spectral.penalty import Penalty

ALONE = "penalties and spectra are of LoRA's A and B alone"
UPDATE = Penalty(PenaltyForm(kind="update"))


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Linear(16, 24)
        self.down = nn.Linear(24, 16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(self.up(x))


def adapted(config: Any) -> Any:
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return get_peft_model(Block(), config)


def moved(model: Any) -> Any:
    """Every trained factor at random."""
    for name, parameter in model.named_parameters():
        if "lora_" in name and parameter.requires_grad:
            nn.init.normal_(parameter)
    return model


def delta(model: Any, module: str) -> torch.Tensor:
    """PEFT's own idea of what all adapters add to a module."""
    layer = model.base_model.model.get_submodule(module)
    return torch.stack([layer.get_delta_weight(name) for name in layer.active_adapters]).sum(0)


def value_of(update: torch.Tensor) -> float:
    return dense_penalty(update.detach().double(), UPDATE.form).item()


METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "ADALORA": ("AdaLoraConfig", {"total_step": 10}),
    "LOHA": ("LoHaConfig", {}),
    "LOKR": ("LoKrConfig", {}),
    "VERA": ("VeraConfig", {}),
    "OFT": ("OFTConfig", {"oft_block_size": 4}),
    "BOFT": ("BOFTConfig", {"boft_block_size": 4}),
    "IA3": ("IA3Config", {"feedforward_modules": []}),
    "FOURIERFT": ("FourierFTConfig", {"n_frequency": 8}),
    "MISS": ("MissConfig", {"r": 4}),
    "BONE": ("BoneConfig", {"r": 4}),
    "RANDLORA": ("RandLoraConfig", {}),
    "HRA": ("HRAConfig", {}),
    "LN_TUNING": ("LNTuningConfig", {}),
}


@pytest.mark.parametrize("method", METHODS)
def test_another_method_is_refused_by_its_name(method: str) -> None:
    kind, options = METHODS[method]
    if not hasattr(peft, kind):
        pytest.skip(f"peft {peft.__version__} has no {kind}")
    model = adapted(getattr(peft, kind)(target_modules=["up", "down"], **options))
    for source in (model, nn.ModuleDict({"wrapped": model}), model.base_model.model):
        with pytest.raises(ValueError, match=f"adapter 'default': {method}; {ALONE}"):
            lora_pairs(source)


def test_adaloras_tensors_are_refused_by_the_name_of_its_singular_values() -> None:
    model = adapted(peft.AdaLoraConfig(target_modules=["up"], total_step=10))
    for tensors in (get_peft_model_state_dict(model), dict(model.named_parameters())):
        with pytest.raises(ValueError, match=rf"up \(lora_E\): AdaLoRA, .*; {ALONE}"):
            lora_pairs(tensors)


@pytest.mark.parametrize(("option", "name"), [("use_bdlora", "BD-LoRA"), ("kasa_config", "KaSA")])
def test_options_with_another_update_are_refused_by_name(option: str, name: str) -> None:
    kind = {"use_bdlora": "BdLoraConfig", "kasa_config": "KasaConfig"}[option]
    module = __import__("peft.tuners.lora.config", fromlist=[kind])
    if not hasattr(module, kind):
        pytest.skip(f"peft {peft.__version__} has no {kind}")
    arguments = {"target_modules_bd_a": ["up"], "nblocks": 2} if option == "use_bdlora" else {}
    config = LoraConfig(r=4, target_modules=["up"], **{option: getattr(module, kind)(**arguments)})
    with pytest.raises(ValueError, match=f"adapter 'default': {name}, .*; {ALONE}"):
        lora_pairs(adapted(config))


@pytest.mark.parametrize("start", ["pissa", "pissa_niter_4", "olora"])
@pytest.mark.parametrize("kind", ["fourier", "l2", "update"])
def test_a_start_in_the_base_weights_has_no_penalty(start: Any, kind: Any) -> None:
    model = adapted(LoraConfig(r=4, target_modules=["up", "down"], init_lora_weights=start))
    penalty, pairs = Penalty(PenaltyForm(kind=kind)), lora_pairs(model)
    assert penalty.value(pairs) == 0
    moved(model)
    assert penalty.value(pairs) > 0


def test_the_penalty_of_a_trained_pissa_adapter_is_of_what_changed_in_the_model() -> None:
    base = Block()
    before = base.up.weight.detach().clone()
    config = LoraConfig(r=4, target_modules=["up"], init_lora_weights="pissa")
    model: Any = get_peft_model(base, config)
    pairs = lora_pairs(model)
    moved(model)
    after = model.base_model.model.up.base_layer.weight + delta(model, "up")
    assert UPDATE.value(pairs).item() == pytest.approx(value_of(after - before), rel=1e-4)


@pytest.mark.parametrize("start", [True, False, "gaussian", "orthogonal"])
def test_other_starts_add_to_the_base_weights(start: Any) -> None:
    model = adapted(LoraConfig(r=4, target_modules=["up"], init_lora_weights=start))
    (pair,) = lora_pairs(model)
    assert pair.start is None
    moved(model)
    assert UPDATE.value([pair]).item() == pytest.approx(value_of(delta(model, "up")), rel=1e-4)


def test_active_adapters_of_one_module_have_the_penalty_of_their_sum() -> None:
    model = adapted(LoraConfig(r=4, lora_alpha=8, target_modules=["up"]))
    model.add_adapter("second", LoraConfig(r=2, lora_alpha=1, target_modules=["up"], use_rslora=True))
    model.add_adapter("third", LoraConfig(r=2, target_modules=["up"]))
    model.base_model.set_adapter(["default", "second"])
    moved(model)
    assert [pair.name for pair in lora_pairs(model)] == ["up", "up (second)"]
    assert UPDATE.value(lora_pairs(model)).item() == pytest.approx(value_of(delta(model, "up")), rel=1e-4)


def test_an_adapter_that_is_not_active_is_left_out_though_it_could_train() -> None:
    model = adapted(LoraConfig(r=4, target_modules=["up"]))
    model.add_adapter("second", LoraConfig(r=2, target_modules=["up"]))
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("lora_" in name)
    assert [pair.name for pair in lora_pairs(model)] == ["up"]
