from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from tests.support.tiny import tiny_config
from torch import nn
from transformers import LlamaForCausalLM

from flextune.errors import FlextuneError
from flextune.models.adapter_folder import CONFIG, PICKLED, SAFETENSORS
from flextune.models.lora_files import read_lora_files

UP = "model.layers.1.mlp.up_proj"


def save(model: nn.Module, folder: Path, **options: Any) -> Any:
    """The model with a random LoRA adapter, which is saved by PEFT."""
    config = LoraConfig(**{"r": 2, "lora_alpha": 6, "target_modules": ["up_proj", "q_proj"], **options})
    adapted = get_peft_model(model, config)
    generator = torch.Generator().manual_seed(3)
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:
            parameter.data = torch.randn(parameter.shape, generator=generator)
    adapted.save_pretrained(str(folder))
    return adapted


def llama() -> LlamaForCausalLM:
    return LlamaForCausalLM(tiny_config())


def change_config(folder: Path, **changes: Any) -> None:
    file = folder / CONFIG
    config = {**json.loads(file.read_text()), **changes}
    file.write_text(json.dumps({key: value for key, value in config.items() if value is not ...}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(llama(), tmp_path / "adapter")
    return tmp_path / "adapter"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"use_rslora": True},
        {"rank_pattern": {"up_proj": 4}, "alpha_pattern": {r"layers\.1\.mlp\.up_proj": 5}},
        {"rank_pattern": {r"model\.layers\.0\..*": 3, "up_proj": 5}, "use_rslora": True},
        {"use_dora": True},
    ],
)
def test_matrices_and_scales_give_the_updates_that_peft_adds(options: dict[str, Any], tmp_path: Path) -> None:
    adapted = save(llama(), tmp_path, **options)
    files = read_lora_files(tmp_path)
    modules = {name.split(".lora_")[0] for name in files.matrices}
    assert len(modules) == 4
    assert len(files.matrices) == 8
    for path in modules:
        name = path.removeprefix("base_model.model.")
        a, b = (files.matrices[f"{path}.lora_{factor}.weight"] for factor in "AB")
        layer = adapted.base_model.model.get_submodule(name)
        torch.testing.assert_close(files.settings.scale_of(name) * b @ a, layer.get_delta_weight("default"))
        assert files.experts(name, a.shape[0]) == 1


def test_base_model_is_what_the_folder_says(folder: Path) -> None:
    assert read_lora_files(folder).base_model is None
    change_config(folder, base_model_name_or_path="some/model")
    assert read_lora_files(str(folder)).base_model == "some/model"


def test_everything_else_is_passed_over_by_kind_and_name(tmp_path: Path) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(11, 6)
            self.conv = nn.Conv2d(3, 4, 3)
            self.up = nn.Linear(6, 9)
            self.head = nn.Linear(9, 11)

    save(Net(), tmp_path, target_modules=["embed", "conv", "up"], modules_to_save=["head"])
    files = read_lora_files(tmp_path)
    assert {name.split(".")[-3] for name in files.matrices} == {"up"}
    assert files.passed_over == {
        "convolutions": ("conv",),
        "embeddings": ("embed",),
        "whole weights": ("head",),
    }


def test_magnitudes_and_biases_are_passed_over(tmp_path: Path) -> None:
    save(llama(), tmp_path, use_dora=True, target_modules=[UP])
    assert read_lora_files(tmp_path).passed_over == {"DoRA magnitudes": (UP,)}
    tensors = load_file(tmp_path / SAFETENSORS)
    del tensors[f"base_model.model.{UP}.lora_magnitude_vector"]
    save_file(tensors | {f"base_model.model.{UP}.lora_B.bias": torch.ones(3)}, tmp_path / SAFETENSORS)
    assert read_lora_files(tmp_path).passed_over == {"biases": (UP,)}


def test_experts_share_the_rows_of_a_stacked_parameter(folder: Path) -> None:
    change_config(folder, target_parameters=["mlp.experts.weight"])
    files = read_lora_files(folder)
    assert files.experts("model.layers.0.mlp.experts", 6) == 3
    with pytest.raises(FlextuneError, match=r"up_proj \(lora_A\) has rank 6, adapter_config.json says 2"):
        files.experts("model.layers.0.mlp.up_proj", 6)
    with pytest.raises(FlextuneError, match="has rank 5"):
        files.experts("model.layers.0.mlp.experts", 5)


def test_weights_in_a_pickle_are_read_as_tensors(folder: Path) -> None:
    tensors = load_file(folder / SAFETENSORS)
    (folder / SAFETENSORS).unlink()
    torch.save(tensors, folder / PICKLED)
    found = read_lora_files(folder).matrices
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensors[name]) for name in found)


class Writes:
    """Runs code when it is unpickled without care."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.write_text, (self.file, "executed")


def test_code_in_a_pickle_does_not_run(folder: Path, tmp_path: Path) -> None:
    (folder / SAFETENSORS).unlink()
    marker = tmp_path / "marker"
    torch.save({"lora_A": Writes(marker)}, folder / PICKLED)
    with pytest.raises(FlextuneError, match="holds more than tensors, or is damaged, and is not read"):
        read_lora_files(folder)
    assert not marker.exists()
    pickle.loads(pickle.dumps(Writes(marker)))
    assert marker.exists()


def test_a_pickle_of_something_else_is_refused(folder: Path) -> None:
    (folder / SAFETENSORS).unlink()
    for held in ([torch.ones(2)], {"lora_A": 3}):
        torch.save(held, folder / PICKLED)
        with pytest.raises(FlextuneError, match="something else than names and tensors"):
            read_lora_files(folder)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"peft_type": "IA3"}, "the adapter is IA3; only LORA has an update scale"),
        ({"r": ...}, "no 'r'; the update's scale is unknown"),
        ({"r": 0}, "a setting of the adapter makes no sense (0 is not above 0)"),
        ({"lora_alpha": "much"}, "a setting of the adapter makes no sense (could not convert"),
        ({"rank_pattern": {"(": 3}}, "a setting of the adapter makes no sense ("),
        ({"alpha_pattern": [1]}, "a setting of the adapter makes no sense ("),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(
    folder: Path, changes: dict[str, Any], complaint: str
) -> None:
    change_config(folder, **changes)
    with pytest.raises(FlextuneError) as caught:
        read_lora_files(folder)
    assert str(caught.value).startswith(f"{folder / CONFIG}: {complaint}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "\xff"])
def test_a_damaged_config_is_named(folder: Path, text: str) -> None:
    (folder / CONFIG).write_bytes(text.encode("latin-1"))
    with pytest.raises(FlextuneError, match=f"{CONFIG}: not a JSON object"):
        read_lora_files(folder)


def test_a_folder_without_an_adapter_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FlextuneError, match="nowhere: no such folder"):
        read_lora_files(tmp_path / "nowhere")
    with pytest.raises(FlextuneError, match=r"no adapter_config.json; it is not an adapter folder"):
        read_lora_files(tmp_path)
    (folder / SAFETENSORS).unlink()
    with pytest.raises(FlextuneError, match=r"no adapter_model\.safetensors: the adapter's weights"):
        read_lora_files(folder)


@pytest.mark.parametrize("kept", [0, 4, 300])
@pytest.mark.parametrize("name", [SAFETENSORS, PICKLED])
def test_damaged_weights_are_named(folder: Path, name: str, kept: int) -> None:
    tensors = load_file(folder / SAFETENSORS)
    (folder / SAFETENSORS).unlink()
    file = folder / name
    (save_file if name == SAFETENSORS else torch.save)(tensors, file)
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(FlextuneError, match="damaged") as caught:
        read_lora_files(folder)
    assert str(caught.value).startswith(f"{file}: ")
    assert "\n" not in str(caught.value)
