from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from tests.support.peft_folders import save_adapter
from tests.support.tiny import tiny_model
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

from flextune.config import AdapterConfig
from flextune.errors import FlextuneError
from flextune.models.adapters import attach_adapter, load_adapter, shared_view
from flextune.models.load import LoadedModel, load_model
from flextune.models.merging.memory import merge_adapter

IDS = torch.tensor([[0, 70, 80, 90, 100, 110]])
ALL = AdapterConfig(rank=2, targets="all")


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        return model(input_ids=IDS).logits


def save_random_adapter(loaded: LoadedModel, folder: Path, config: AdapterConfig = ALL) -> Path:
    """An adapter whose B is not zero."""
    model = attach_adapter(loaded, config, seed=1)
    generator = torch.Generator().manual_seed(2)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = 0.1 * torch.randn(parameter.shape, generator=generator)
    model.save_pretrained(str(folder))
    return folder


@pytest.fixture(scope="module")
def adapter(loaded: LoadedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random_adapter(loaded, tmp_path_factory.mktemp("adapters") / "random")


def lora(model: Any) -> dict[str, torch.Tensor]:
    return {
        name: parameter.detach().clone() for name, parameter in model.named_parameters() if "lora_" in name
    }


def test_start_depends_on_the_seed_alone(loaded: LoadedModel) -> None:
    torch.manual_seed(5)
    first = lora(attach_adapter(loaded, ALL, seed=3))
    torch.manual_seed(6)
    before = torch.random.get_rng_state()
    again, other = lora(attach_adapter(loaded, ALL, seed=3)), lora(attach_adapter(loaded, ALL, seed=4))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_fresh_adapter_changes_nothing_and_leaves_the_base_alone(loaded: LoadedModel) -> None:
    before = logits(loaded.model)
    model = attach_adapter(loaded, ALL, seed=0)
    assert torch.equal(logits(model.eval()), before)
    assert not any("lora" in name for name, _ in loaded.model.named_modules())
    assert torch.equal(logits(loaded.model), before)


def test_view_shares_the_base_tensors(loaded: LoadedModel) -> None:
    model: Any = attach_adapter(loaded, ALL, seed=0).get_base_model()
    shared = model.model.layers[0].mlp.up_proj.base_layer.weight
    assert shared is loaded.model.model.layers[0].mlp.up_proj.weight


def test_adapter_in_some_layers_only(loaded: LoadedModel, tmp_path: Path) -> None:
    save_random_adapter(loaded, tmp_path, AdapterConfig(rank=2, targets="mlp", layers="1-"))
    keys = load_file(tmp_path / "adapter_model.safetensors")
    assert {key.split(".layers.")[1][0] for key in keys} == {"1"}
    assert not torch.equal(logits(load_adapter(loaded, tmp_path).model), logits(loaded.model))


def test_adapter_loads_in_plain_peft(loaded: LoadedModel, model_folder: Path, adapter: Path) -> None:
    config = json.loads((adapter / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str(model_folder)
    plain = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(model_folder), adapter).eval()
    ours = load_adapter(loaded, adapter)
    assert torch.equal(logits(plain), logits(ours.model))
    assert not torch.equal(logits(ours.model), logits(loaded.model))


def test_merged_agrees_with_unmerged_in_float32(loaded: LoadedModel, adapter: Path) -> None:
    before = logits(loaded.model)
    merged = merge_adapter(loaded, adapter)
    torch.testing.assert_close(
        logits(merged.model), logits(load_adapter(loaded, adapter).model), atol=1e-4, rtol=0
    )
    assert not any("lora" in name for name, _ in merged.model.named_modules())
    assert torch.equal(logits(loaded.model), before)


def test_merging_keeps_the_base_dtype(model_folder: Path, adapter: Path) -> None:
    half = load_model(str(model_folder), dtype="bfloat16", device="cpu")
    merged = merge_adapter(half, adapter).model
    assert {parameter.dtype for parameter in merged.parameters()} == {torch.bfloat16}


@pytest.mark.parametrize("load", [load_adapter, merge_adapter])
def test_scale_zero_is_the_base_model(load: Any, loaded: LoadedModel, adapter: Path) -> None:
    assert torch.equal(logits(load(loaded, adapter, 0.0).model), logits(loaded.model))


@pytest.mark.parametrize("load", [load_adapter, merge_adapter])
def test_scale_multiplies_the_update(load: Any, loaded: LoadedModel, adapter: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(adapter, tmp_path / "by-hand"))
    tensors = load_file(folder / "adapter_model.safetensors")
    tensors = {key: 0.3 * tensor if "lora_B" in key else tensor for key, tensor in tensors.items()}
    save_file(tensors, folder / "adapter_model.safetensors")
    found = logits(load(loaded, adapter, 0.3).model)
    torch.testing.assert_close(found, logits(load(loaded, folder).model), atol=1e-5, rtol=0)
    assert (found - logits(load(loaded, adapter).model)).abs().max() > 1e-2
    assert torch.equal(logits(load(loaded, adapter, 1.0).model), logits(load(loaded, adapter).model))


def updates(model: Any) -> dict[str, torch.Tensor]:
    return {
        name: layer.get_delta_weight("default").detach()
        for name, layer in model.named_modules()
        if hasattr(layer, "get_delta_weight") and "default" in getattr(layer, "lora_A", {})
    }


@pytest.mark.parametrize("share", [0.2, 0.9])
def test_a_spectral_norm_cuts_larger_singular_values_and_no_other(
    share: float, loaded: LoadedModel, adapter: Path
) -> None:
    whole = updates(load_adapter(loaded, adapter).model)
    limit = share * max(float(torch.linalg.matrix_norm(each, 2)) for each in whole.values())
    cut = updates(load_adapter(loaded, adapter, spectral_norm=limit).model)
    assert any(not torch.equal(cut[name], each) for name, each in whole.items())
    for name, each in whole.items():
        left, values, right = torch.linalg.svd(each.double(), full_matrices=False)
        torch.testing.assert_close(
            cut[name].double(), (left * values.clamp(max=limit)) @ right, atol=1e-6, rtol=1e-5
        )


def test_a_large_spectral_norm_changes_nothing(loaded: LoadedModel, adapter: Path) -> None:
    plain = logits(load_adapter(loaded, adapter).model)
    assert torch.equal(logits(load_adapter(loaded, adapter, spectral_norm=1e6).model), plain)


def test_a_spectral_norm_holds_merged_as_unmerged_before_the_scale(
    loaded: LoadedModel, adapter: Path
) -> None:
    merged = merge_adapter(loaded, adapter, 0.5, spectral_norm=0.05).model
    beside = load_adapter(loaded, adapter, 0.5, spectral_norm=0.05).model
    torch.testing.assert_close(logits(merged), logits(beside), atol=1e-4, rtol=0)
    cut = updates(load_adapter(loaded, adapter, spectral_norm=0.05).model)
    halved = updates(beside)
    for name, each in cut.items():
        torch.testing.assert_close(halved[name], 0.5 * each)


def test_a_spectral_norm_of_what_is_more_than_an_update_is_refused(
    loaded: LoadedModel, tmp_path: Path
) -> None:
    config = LoraConfig(r=2, target_modules=["up_proj"], use_dora=True)
    get_peft_model(shared_view(loaded.model), config).save_pretrained(str(tmp_path))
    with pytest.raises(FlextuneError, match=r"spectral_norm 0\.5 cuts .* holds .*lora_magnitude_vector"):
        load_adapter(loaded, tmp_path, spectral_norm=0.5)


def test_scale_of_what_is_more_than_an_update_is_refused(loaded: LoadedModel, tmp_path: Path) -> None:
    config = LoraConfig(r=2, target_modules=["up_proj"], use_dora=True)
    get_peft_model(shared_view(loaded.model), config).save_pretrained(str(tmp_path))
    load_adapter(loaded, tmp_path)
    with pytest.raises(FlextuneError, match=r"scale 0\.5 multiplies .* holds .*lora_magnitude_vector"):
        load_adapter(loaded, tmp_path, 0.5)


@pytest.mark.parametrize("start", ["pissa", "olora"])
def test_scale_of_an_adapter_that_splits_the_weights_is_refused(
    start: str, loaded: LoadedModel, model_folder: Path, tmp_path: Path
) -> None:
    folder = save_adapter(model_folder, tmp_path, init_lora_weights=start)
    with pytest.raises(FlextuneError, match=r"scale 0\.5 multiplies .* holds .*q_proj"):
        load_adapter(loaded, folder, 0.5)


def test_conv1d_layers_of_gpt2(tmp_path: Path) -> None:
    model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=16, n_head=2, vocab_size=128)).eval()
    loaded = LoadedModel(model, None, "gpt2", "")
    folder = save_random_adapter(loaded, tmp_path, AdapterConfig(rank=2, targets="mlp"))
    merged = logits(merge_adapter(loaded, folder).model)
    torch.testing.assert_close(merged, logits(load_adapter(loaded, folder).model), atol=1e-4, rtol=0)
    assert not torch.equal(merged, logits(model))


@pytest.mark.parametrize("change", [{"intermediate_size": 32}, {"num_hidden_layers": 1}])
def test_adapter_for_another_model(change: dict[str, int], adapter: Path, tmp_path: Path) -> None:
    other = load_model(str(tiny_model(tmp_path / "other", **change)), device="cpu")
    with pytest.raises(FlextuneError, match=r"adapter for another model \(made for .*model\.layers\.\d\.mlp"):
        load_adapter(other, adapter)
    with pytest.raises(FlextuneError, match="adapter for another model"):
        merge_adapter(other, adapter)


def test_adapter_for_another_architecture(adapter: Path) -> None:
    model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=16, n_head=2, vocab_size=128))
    with pytest.raises(FlextuneError, match=r"gpt2 has no model\.layers\.0"):
        load_adapter(LoadedModel(model, None, "gpt2", ""), adapter)


def test_folder_that_is_no_adapter(loaded: LoadedModel, adapter: Path, tmp_path: Path) -> None:
    with pytest.raises(FlextuneError, match="not an adapter folder"):
        load_adapter(loaded, tmp_path)
    shutil.copy(adapter / "adapter_config.json", tmp_path)
    with pytest.raises(FlextuneError, match="weights are missing"):
        load_adapter(loaded, tmp_path)


def test_damaged_adapter(loaded: LoadedModel, adapter: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(adapter, tmp_path / "cut"))
    file = folder / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:300])
    with pytest.raises(FlextuneError, match="damaged"):
        load_adapter(loaded, folder)


def test_adapter_that_lacks_a_factor(loaded: LoadedModel, adapter: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(adapter, tmp_path / "part"))
    tensors = load_file(folder / "adapter_model.safetensors")
    key = next(key for key in tensors if "lora_B" in key)
    del tensors[key]
    save_file(tensors, folder / "adapter_model.safetensors")
    with pytest.raises(FlextuneError, match=r"weights are incomplete: .* has no lora_B"):
        load_adapter(loaded, folder)
