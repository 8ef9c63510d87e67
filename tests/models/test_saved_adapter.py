"""Adapters that do not fit: each is one line that says what differs."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from tests.support.peft_folders import as_peft_loads, logits, randomise, save_adapter
from transformers import AutoModelForCausalLM

from flextune.errors import FlextuneError
from flextune.models.adapter_folder import open_adapter
from flextune.models.adapters import load_adapter
from flextune.models.load import LoadedModel
from flextune.models.merging.memory import merge_adapter

WEIGHTS = "adapter_model.safetensors"
LOADERS = [load_adapter, merge_adapter]


@pytest.fixture(scope="module")
def saved(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_adapter(model_folder, tmp_path_factory.mktemp("adapters") / "plain")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "adapter"))


def refusal(load: Any, loaded: LoadedModel, folder: Path) -> str:
    with pytest.raises(FlextuneError) as caught:
        load(loaded, folder)
    text = str(caught.value)
    assert text.startswith(f"{folder}: ")
    assert "\n" not in text
    return text


def keep(folder: Path, wanted: Any) -> None:
    tensors = load_file(folder / WEIGHTS)
    save_file({name: tensor for name, tensor in tensors.items() if wanted(name)}, folder / WEIGHTS)


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize(
    ("wanted", "lacking"),
    [
        (
            lambda name: "layers.1." not in name,
            r"model.layers.1.self_attn.q_proj has no lora_A (missing in all: 4, in 2 of",
        ),
        (
            lambda name: "up_proj" not in name,
            r"model.layers.0.mlp.up_proj has no lora_A (missing in all: 4, in 2 of",
        ),
        (
            lambda name: "0.mlp.up_proj.lora_B" not in name,
            r"model.layers.0.mlp.up_proj has no lora_B (missing in all: 1, in 1 of",
        ),
    ],
    ids=["layer", "module", "factor"],
)
def test_lacking_tensors_are_counted_and_the_first_is_named(
    load: Any, wanted: Any, lacking: str, loaded: LoadedModel, folder: Path
) -> None:
    keep(folder, wanted)
    assert f"the adapter's weights are incomplete: {lacking}" in refusal(load, loaded, folder)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"use_dora": True}, "magnitude"),
        ({"modules_to_save": ["lm_head"]}, "lm_head.weight"),
        ({"trainable_token_indices": [3]}, "token_adapter"),
        ({"target_modules": ["embed_tokens", "q_proj"]}, "lora_embedding_B"),
    ],
    ids=["DoRA", "modules_to_save", "tokens", "embedding"],
)
def test_a_lacking_tensor_of_any_kind_is_found(
    options: dict[str, Any], part: str, loaded: LoadedModel, model_folder: Path, tmp_path: Path
) -> None:
    folder = save_adapter(model_folder, tmp_path / "adapter", **options)
    keep(folder, lambda name: part not in name)
    assert "the adapter's weights are incomplete: " in refusal(load_adapter, loaded, folder)


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_tensor_that_is_not_finite_is_named(
    load: Any, value: float, dtype: torch.dtype, loaded: LoadedModel, folder: Path
) -> None:
    tensors = {name: tensor.to(dtype) for name, tensor in load_file(folder / WEIGHTS).items()}
    name = "base_model.model.model.layers.1.mlp.up_proj.lora_B.weight"
    tensors[name][3, 1] = value
    save_file(tensors, folder / WEIGHTS)
    assert refusal(load, loaded, folder) == (
        f"{folder}: {name} holds NaN or infinity: its training diverged, or the file is damaged"
    )


@pytest.mark.parametrize(
    "options",
    [
        {"target_modules": ["embed_tokens", "q_proj"]},
        {"target_modules": ["lm_head", "q_proj"]},
        {"modules_to_save": ["embed_tokens", "lm_head"]},
        {},
    ],
    ids=["embed_tokens", "lm_head", "modules_to_save", "saved beside"],
)
def test_resized_embeddings_are_named_with_both_sizes(
    options: dict[str, Any], loaded: LoadedModel, model_folder: Path, tmp_path: Path
) -> None:
    model = AutoModelForCausalLM.from_pretrained(model_folder)
    model.resize_token_embeddings(260)
    config = LoraConfig(**{"r": 2, "target_modules": ["q_proj"], "task_type": "CAUSAL_LM", **options})
    randomise(get_peft_model(model, config)).save_pretrained(tmp_path)
    text = refusal(load_adapter, loaded, tmp_path)
    assert "has 260 rows" in text
    assert "has 258 (one per token): the vocabulary was resized" in text


def test_an_adapter_with_nothing_in_it_is_refused(loaded: LoadedModel, folder: Path) -> None:
    keep(folder, lambda name: False)
    assert "the adapter holds no tensor" in refusal(load_adapter, loaded, folder)


def test_a_tensor_without_a_place_makes_it_another_models(loaded: LoadedModel, folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS)
    tensors["base_model.model.model.layers.1.mlp.side_proj.lora_A.weight"] = torch.ones(2, 16)
    save_file(tensors, folder / WEIGHTS)
    text = refusal(load_adapter, loaded, folder)
    assert "adapter for another model (made for " in text
    assert text.endswith(f"{loaded.name} has no model.layers.1.mlp.side_proj")


def test_an_adapter_in_a_subfolder_is_pointed_to(model_folder: Path, saved: Path, tmp_path: Path) -> None:
    shutil.copytree(saved, tmp_path / "named" / "policy")
    with pytest.raises(FlextuneError, match=r"but it holds .*/named/policy: give that folder"):
        open_adapter(tmp_path / "named")


def test_a_folder_under_the_home_is_found(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(saved.parent))
    assert open_adapter("~/plain").path == saved


def test_a_base_layer_that_was_saved_beside_is_the_base_models_and_scales(
    loaded: LoadedModel, model_folder: Path, tmp_path: Path
) -> None:
    folder = save_adapter(model_folder, tmp_path / "adapter", target_modules=["lm_head", "q_proj"])
    load_adapter(loaded, folder, 0.5)
    tensors = load_file(folder / WEIGHTS)
    tensors["base_model.model.lm_head.base_layer.weight"][0, 0] += 1
    save_file(tensors, folder / WEIGHTS)
    with pytest.raises(FlextuneError, match=r"generate\.scale 0\.5 .* holds .*lm_head\.base_layer"):
        load_adapter(loaded, folder, 0.5)


def test_embeddings_of_a_resized_base_model_load_and_leave_it_alone(
    model_folder: Path, tmp_path: Path
) -> None:
    model = AutoModelForCausalLM.from_pretrained(model_folder)
    model.resize_token_embeddings(260)
    model.save_pretrained(tmp_path / "base")
    base = LoadedModel(model.eval(), None, "resized", "")
    options: dict[str, Any] = {"modules_to_save": ["embed_tokens", "lm_head"]}
    folder = save_adapter(tmp_path / "base", tmp_path / "adapter", **options)
    tensors = load_file(folder / WEIGHTS)
    tensors["base_model.model.model.embed_tokens.original_module.weight"] = torch.ones(260, 16)
    save_file(tensors, folder / WEIGHTS)
    before = logits(model)
    expected = as_peft_loads(tmp_path / "base", folder)
    assert torch.equal(logits(load_adapter(base, folder).model), expected)
    torch.testing.assert_close(logits(merge_adapter(base, folder).model), expected, atol=1e-5, rtol=0)
    assert torch.equal(logits(model), before)


@pytest.mark.parametrize("load", LOADERS)
def test_what_peft_cannot_load_is_one_line(load: Any, loaded: LoadedModel, folder: Path) -> None:
    settings = json.loads((folder / "adapter_config.json").read_text())
    for change in ({"r": 0}, {"trainable_token_indices": [10**6]}, {"target_modules": None}):
        (folder / "adapter_config.json").write_text(json.dumps({**settings, **change}))
        refusal(load, loaded, folder)
