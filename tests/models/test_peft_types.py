"""PEFT's methods and options, loaded and merged: what PEFT makes of them, or refused by name."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from peft import LoraConfig, PeftType, PrefixTuningConfig, PromptTuningConfig, VeraConfig
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING
from tests.support.peft_folders import as_peft_loads, logits, save_adapter
from tests.support.tiny import tiny_model

from flextune.errors import FlextuneError
from flextune.models.adapter_folder import SUPPORTED_TYPES, usable_adapter
from flextune.models.adapters import check_saved, load_adapter
from flextune.models.load import LoadedModel, load_model
from flextune.models.merging.memory import merge_adapter

pytestmark = pytest.mark.slow

OPTIONS: dict[str, dict[str, Any]] = {
    "ADALORA": {"total_step": 10, "tinit": 1, "tfinal": 1},
    "BOFT": {"boft_block_size": 4},
    "C3A": {"block_size": 8},
    "FOURIERFT": {"n_frequency": 8},
    "IA3": {"feedforward_modules": []},
    "ROAD": {"group_size": 8},
    "TRAINABLE_TOKENS": {"target_modules": ["embed_tokens"], "token_indices": [3, 70]},
    "WAVEFT": {"n_frequency": 8},
}
#: Their tensors are numbers at places that may be in a module of any size.
SIZELESS = {"FOURIERFT", "SHIRA", "WAVEFT"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "even", intermediate_size=32, attention_bias=True)


@pytest.fixture(scope="module")
def even(base: Path) -> LoadedModel:
    return load_model(str(base), device="cpu")


def config_of(method: str) -> Any:
    kind = PEFT_TYPE_TO_CONFIG_MAPPING[PeftType(method)]
    options = {"target_modules": ["q_proj", "up_proj"], "task_type": "CAUSAL_LM", **OPTIONS.get(method, {})}
    if "r" in inspect.signature(kind).parameters:
        options.setdefault("r", 2)
    return kind(**options)


def check(even: LoadedModel, base: Path, folder: Path, merged: bool = True) -> None:
    """Loaded and merged give PEFT's logits, and the base model stays as it is; a check finds no fault."""
    check_saved(str(base), folder)
    before = logits(even.model)
    expected = as_peft_loads(base, folder)
    assert (expected - before).abs().max() > 1e-4
    assert torch.equal(logits(load_adapter(even, folder).model), expected)
    assert torch.equal(logits(even.model), before)
    if merged:
        torch.testing.assert_close(logits(merge_adapter(even, folder).model), expected, atol=1e-5, rtol=0)
        assert torch.equal(logits(even.model), before)


@pytest.mark.parametrize("method", sorted(SUPPORTED_TYPES))
def test_a_supported_method_is_what_peft_makes_of_it(
    method: str, even: LoadedModel, base: Path, tmp_path: Path
) -> None:
    if not hasattr(PeftType, method):
        pytest.skip(f"peft {peft.__version__} has no {method}")
    folder = save_adapter(base, tmp_path / "adapter", config_of(method))
    wider = tiny_model(tmp_path / "wider", hidden_size=32, intermediate_size=32, attention_bias=True)
    if method not in SIZELESS:
        with pytest.raises(FlextuneError, match="adapter for another model"):
            check_saved(str(wider), folder)
    check(even, base, folder, merged=method != "BEFT")


@pytest.mark.parametrize(
    "options",
    [
        {"use_rslora": True},
        {"use_dora": True},
        {"rank_pattern": {"q_proj": 3}, "alpha_pattern": {"up_proj": 5}},
        {"init_lora_weights": "pissa"},
        {"init_lora_weights": "olora"},
        {"init_lora_weights": "orthogonal"},
        {"bias": "all"},
        {"bias": "lora_only"},
        {"target_modules": "all-linear"},
        {"target_modules": r".*\.q_proj"},
        {"layers_to_transform": [1]},
        {"target_modules": ["embed_tokens", "q_proj"]},
        {"target_modules": ["lm_head", "q_proj"]},
        {"target_modules": ["embed_tokens", "lm_head"]},
        {"modules_to_save": ["lm_head"]},
        {"modules_to_save": ["embed_tokens", "lm_head"]},
        {"modules_to_save": ["norm"]},
        {"trainable_token_indices": [3, 70]},
        {"task_type": None},
    ],
    ids=str,
)
def test_an_option_of_lora_is_what_peft_makes_of_it(
    options: dict[str, Any], even: LoadedModel, base: Path, tmp_path: Path
) -> None:
    check(even, base, save_adapter(base, tmp_path, **options))


@pytest.mark.parametrize("targets", [["embed_tokens"], ["lm_head"], ["embed_tokens", "lm_head"]])
def test_tied_embeddings_are_merged_as_they_are_adapted(targets: list[str], tmp_path: Path) -> None:
    """PEFT's own merging would put the embeddings' adapter into the tied output head too."""
    base = tiny_model(tmp_path / "tied", tie_word_embeddings=True)
    tied = load_model(str(base), device="cpu")
    folder = save_adapter(base, tmp_path / "adapter", target_modules=targets)
    before = logits(tied.model)
    adapted = logits(load_adapter(tied, folder).model)
    assert torch.equal(adapted, as_peft_loads(base, folder))
    merged = merge_adapter(tied, folder).model
    torch.testing.assert_close(logits(merged), adapted, atol=1e-5, rtol=0)
    assert not merged.config.tie_word_embeddings
    assert torch.equal(logits(tied.model), before)
    assert tied.model.config.tie_word_embeddings


def test_a_method_that_is_not_supported_is_named(
    model_folder: Path, loaded: LoadedModel, tmp_path: Path
) -> None:
    configs = [
        PrefixTuningConfig(num_virtual_tokens=2, task_type="CAUSAL_LM"),
        PromptTuningConfig(num_virtual_tokens=2, task_type="CAUSAL_LM"),
        VeraConfig(r=2, target_modules=["q_proj"]),
    ]
    for config in configs:
        name = config.peft_type.value
        folder = save_adapter(model_folder, tmp_path / name, config)
        for load in (load_adapter, merge_adapter):
            with pytest.raises(FlextuneError, match=f"{name}: peft_type {name} is not supported"):
                load(loaded, folder)


@pytest.mark.parametrize(
    "options",
    [{"layer_replication": [[0, 2], [1, 2]]}, {"alora_invocation_tokens": [80, 90]}],
    ids=["layer_replication", "alora_invocation_tokens"],
)
def test_an_option_that_is_not_supported_is_named(
    options: dict[str, Any], model_folder: Path, tmp_path: Path
) -> None:
    folder = save_adapter(model_folder, tmp_path, **options)
    with pytest.raises(FlextuneError, match=f"{next(iter(options))} is not supported: it "):
        usable_adapter(folder)


def test_an_adapter_that_cannot_be_merged_is_evaluated_unmerged(
    model_folder: Path, loaded: LoadedModel, tmp_path: Path
) -> None:
    folder = save_adapter(model_folder, tmp_path, lora_bias=True)
    assert torch.equal(logits(load_adapter(loaded, folder).model), as_peft_loads(model_folder, folder))
    with pytest.raises(FlextuneError, match=r"cannot be merged \(Impossible to merge LoRA with .lora_bias"):
        merge_adapter(loaded, folder)


def test_a_method_of_another_version_is_named(loaded: LoadedModel, tmp_path: Path) -> None:
    (tmp_path / "adapter_model.safetensors").touch()
    (tmp_path / "adapter_config.json").write_text(json.dumps({"peft_type": "TOMORROW"}))
    with pytest.raises(FlextuneError, match="peft_type TOMORROW is not supported"):
        load_adapter(loaded, tmp_path)
    (tmp_path / "adapter_config.json").write_text(
        json.dumps({**LoraConfig().to_dict(), "r": "two"}, default=list)
    )
    with pytest.raises(FlextuneError):
        load_adapter(loaded, tmp_path)
