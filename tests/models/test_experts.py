"""Mixtures of experts: transformers stacks the experts' weights, and PEFT adapts the stacks."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from tests.support.mixtures import MLP, config_of, loaded_of
from tests.support.peft_folders import logits, randomise

from flextune.audit.spectra import adapter_spectra
from flextune.config import AdapterConfig
from flextune.errors import FlextuneError
from flextune.models.adapters import attach_adapter, check_saved, check_targets, load_adapter
from flextune.models.load import LoadedModel
from flextune.models.merging.memory import merge_adapter
from flextune.models.targets import find_targets
from flextune.progress import Silent

pytestmark = pytest.mark.slow

#: Linear modules and stacked parameters in ``mlp``.
COUNTS = {
    "deepseek_v2": (6, 2),
    "deepseek_v3": (6, 2),
    "glm4_moe": (6, 2),
    "gpt_oss": (0, 4),
    "granitemoe": (0, 4),
    "granitemoeshared": (4, 4),
    "mixtral": (0, 4),
    "olmoe": (0, 4),
    "qwen2_moe": (6, 4),
    "qwen3_moe": (0, 4),
    "qwen3_next": (12, 8),
}


def save(loaded: LoadedModel, folder: Path, adapter: AdapterConfig = MLP) -> Any:
    """A random adapter, saved; returns the model that it was saved from."""
    model = randomise(attach_adapter(loaded, adapter, seed=0)).eval()
    model.save_pretrained(folder, save_embedding_layers=False)
    return model


@pytest.mark.parametrize("kind", COUNTS)
def test_experts_and_linear_modules_are_adapted_saved_loaded_and_merged(kind: str, tmp_path: Path) -> None:
    loaded = loaded_of(kind)
    before = logits(loaded.model)
    model = save(loaded, tmp_path)
    adapted = [name for name, module in model.named_modules() if getattr(module, "lora_A", None)]
    assert len(adapted) == sum(COUNTS[kind])
    expected = logits(model)
    assert (expected - before).abs().max() > 1e-2
    check_saved(loaded.model.config, tmp_path)
    assert torch.equal(logits(load_adapter(loaded, tmp_path).model), expected)
    torch.testing.assert_close(logits(merge_adapter(loaded, tmp_path).model), expected, atol=1e-5, rtol=0)
    assert torch.equal(logits(load_adapter(loaded, tmp_path, 0.0).model), before)
    assert torch.equal(logits(loaded.model), before)


@pytest.mark.parametrize("kind", COUNTS)
def test_plain_peft_loads_the_same(kind: str, tmp_path: Path) -> None:
    loaded = loaded_of(kind)
    expected = logits(save(loaded, tmp_path))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        plain = PeftModel.from_pretrained(loaded_of(kind).model, tmp_path).eval()
    assert torch.equal(logits(plain), expected)
    assert not [warning for warning in caught if "missing adapter keys" in str(warning.message)]


@pytest.mark.parametrize("kind", COUNTS)
def test_spectra_of_every_target_are_measured(kind: str, tmp_path: Path) -> None:
    loaded = loaded_of(kind)
    save(loaded, tmp_path)
    spectra = adapter_spectra(tmp_path, "mine", draws=3, bins=4, reporter=Silent())
    targets = find_targets(loaded.model, "mlp")
    names = {row["name"] for row in spectra.rows}
    assert names == {name.removesuffix(".weight") for name in (*targets.modules, *targets.parameters)}
    assert {row["rank"] for row in spectra.rows} == {2}
    # A stack's update is no product of two matrices.
    updates = {row["name"] for row in spectra.rows if row["factor"] == "update"}
    assert updates == set(targets.modules)


def test_layers_choose_among_experts_too() -> None:
    targets = find_targets(loaded_of("mixtral").model, "mlp", "1")
    assert targets.parameters == (
        "model.layers.1.mlp.experts.gate_up_proj",
        "model.layers.1.mlp.experts.down_proj",
    )
    model = attach_adapter(
        loaded_of("mixtral"), AdapterConfig(rank=2, dropout=0, targets="mlp", layers="1"), seed=0
    )
    assert {name.split(".layers.")[1][0] for name, p in model.named_parameters() if p.requires_grad} == {"1"}


@pytest.mark.parametrize(
    ("names", "counts"),
    [
        (["down_proj"], (2, 2)),
        (["experts.down_proj"], (0, 2)),
        (["gate_up_proj"], (0, 2)),
        (["gate_proj", "up_proj"], (4, 2)),
        (["shared_expert.gate_proj"], (2, 0)),
        (["experts.gate_proj", "experts.up_proj"], (0, 2)),
    ],
)
def test_a_name_means_modules_and_experts(names: list[str], counts: tuple[int, int], tmp_path: Path) -> None:
    loaded = loaded_of("qwen2_moe")
    targets = find_targets(loaded.model, names)
    assert (len(targets.modules), len(targets.parameters)) == counts
    model = save(loaded, tmp_path, AdapterConfig(rank=2, dropout=0, targets=names))
    assert torch.equal(logits(load_adapter(loaded, tmp_path).model), logits(model))


def test_half_of_a_fused_pair_is_refused() -> None:
    for names in (["gate_proj"], ["up_proj", "down_proj"], ["experts.up_proj"]):
        with pytest.raises(FlextuneError, match=r"gate_up_proj holds .* of all experts; name both"):
            check_targets(config_of("qwen2_moe"), AdapterConfig(targets=names, dropout=0))


def test_a_name_that_is_not_there_is_answered_with_the_experts_too() -> None:
    with pytest.raises(FlextuneError, match=r"experts: down_proj, gate_up_proj\)"):
        check_targets(config_of("mixtral"), AdapterConfig(targets=["dwn_prj"], dropout=0))


@pytest.mark.parametrize("kind", ["mixtral", "qwen3_next"])
def test_dropout_is_refused_for_experts(kind: str) -> None:
    adapter = AdapterConfig(targets="mlp", dropout=0.05)
    message = r"adapter\.dropout 0\.05: PEFT has no dropout .* set adapter\.dropout: 0"
    with pytest.raises(FlextuneError, match=message):
        check_targets(config_of(kind), adapter)
    with pytest.raises(FlextuneError, match=message):
        attach_adapter(loaded_of(kind), adapter, seed=0)
    check_targets(config_of(kind), AdapterConfig(targets="attention", dropout=0.05))


def test_dense_modules_alone_may_have_dropout() -> None:
    check_targets(config_of("qwen2_moe"), AdapterConfig(targets=["shared_expert.gate_proj"], dropout=0.05))


def test_an_adapter_with_a_module_per_expert_is_stacked_as_peft_does_it(tmp_path: Path) -> None:
    """Adapters made with transformers 4 have a module for each of Mixtral's experts."""
    from peft import LoraConfig
    from safetensors.torch import save_file

    loaded = loaded_of("mixtral")
    sizes = {"w1": (16, 24), "w2": (24, 16), "w3": (16, 24)}
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for layer in range(2):
        for expert in range(4):
            for name, (inputs, outputs) in sizes.items():
                path = f"base_model.model.model.layers.{layer}.block_sparse_moe.experts.{expert}.{name}"
                tensors[f"{path}.lora_A.weight"] = torch.randn(2, inputs, generator=generator)
                tensors[f"{path}.lora_B.weight"] = torch.randn(outputs, 2, generator=generator)
    config = LoraConfig(r=2, target_modules=list(sizes), task_type="CAUSAL_LM")
    config.save_pretrained(str(tmp_path))
    save_file(tensors, tmp_path / "adapter_model.safetensors")
    expected = logits(PeftModel.from_pretrained(loaded_of("mixtral").model, tmp_path).eval())
    assert (expected - logits(loaded.model)).abs().max() > 1e-2
    assert torch.equal(logits(load_adapter(loaded, tmp_path).model), expected)
    torch.testing.assert_close(logits(merge_adapter(loaded, tmp_path).model), expected, atol=1e-5, rtol=0)
