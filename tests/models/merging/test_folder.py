"""Merged folders: what plain transformers loads is what plain PEFT adapts, rounded once."""

from __future__ import annotations

import json
import os
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.support.merges import (
    ARCHITECTURES,
    Merge,
    adapter_folder,
    base_folder,
    exact_updates,
    merge_of,
    plain,
)
from tests.support.peft_folders import logits, save_adapter
from tests.support.tiny import tiny_model
from transformers import AutoTokenizer

from flextune.errors import FlextuneError
from flextune.models.load import load_model
from flextune.models.merging.adapted import open_adapted
from flextune.models.merging.folder import appearing, merged_size, write_merged
from flextune.models.merging.memory import merge_adapter

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=ARCHITECTURES)
def merge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Merge:
    return merge_of(request.param, tmp_path_factory.mktemp(request.param))


def test_plain_transformers_loads_what_plain_peft_adapts(merge: Merge, tmp_path: Path) -> None:
    expected = logits(plain(merge.base, merge.adapter))
    found = logits(plain(merge.written(tmp_path / "merged", torch.float32)))
    assert (expected - logits(plain(merge.base))).abs().max() > 1e-3
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_weights_are_the_float64_sum_rounded_once(merge: Merge, tmp_path: Path) -> None:
    base = plain(merge.base, dtype=torch.float64).state_dict()
    merged = plain(merge.written(tmp_path / "merged"), dtype=torch.bfloat16).state_dict()
    updates = dict(exact_updates(merge))
    assert updates
    for name, tensor in merged.items():
        exact = base[name] + (torch.from_numpy(updates[name]) if name in updates else 0)
        step = torch.finfo(torch.bfloat16).eps * exact.abs()
        # Float32 sums may fall on the other side of the middle between two numbers, which is half a step.
        assert ((tensor.double() - exact).abs() <= 0.5001 * step + 1e-9).all(), name


def test_the_dtype_is_kept_or_chosen(merge: Merge, tmp_path: Path) -> None:
    for dtype, name in ((None, "bfloat16"), (torch.float16, "float16"), (torch.float32, "float32")):
        folder = merge.written(tmp_path / name, dtype)
        stored = load_file(folder / "model.safetensors")
        assert {str(tensor.dtype) for tensor in stored.values()} == {f"torch.{name}"}
        assert json.loads((folder / "config.json").read_text())["dtype"] == name


def test_in_memory_the_weights_are_the_same(merge: Merge, tmp_path: Path) -> None:
    loaded = load_model(str(merge.base), dtype="bfloat16", device="cpu")
    memory = merge_adapter(loaded, merge.adapter).model.state_dict()
    files = plain(merge.written(tmp_path / "merged"), dtype=torch.bfloat16).state_dict()
    assert {name for name in memory if not torch.equal(memory[name], files[name])} == set()


@pytest.mark.parametrize("kind", ["llama", "mixtral"])
@pytest.mark.parametrize("layout", ["shards", "bin"])
def test_shards_and_pickled_files(kind: str, layout: str, tmp_path: Path) -> None:
    merge = merge_of(kind, tmp_path, max_shard_size="30KB" if layout == "shards" else "5GB")
    if layout == "bin":
        torch.save(load_file(merge.base / "model.safetensors"), merge.base / "pytorch_model.bin")
        (merge.base / "model.safetensors").unlink()
    folder = merge.written(tmp_path / "merged", torch.float32)
    assert len(list(folder.glob("*.safetensors"))) == max(1, len(list(merge.base.glob("*.safetensors"))))
    expected = logits(plain(merge.base, merge.adapter))
    torch.testing.assert_close(logits(plain(folder)), expected, atol=1e-5, rtol=1e-5)


def test_files_without_the_models_prefix(tmp_path: Path) -> None:
    """As the hub has GPT-2: ``h.0.attn``, not ``transformer.h.0.attn``."""
    merge = merge_of("gpt2", tmp_path)
    file = merge.base / "model.safetensors"
    expected = logits(plain(merge.base, merge.adapter))
    tensors = {name.removeprefix("transformer."): each for name, each in load_file(file).items()}
    save_file(tensors, file, metadata={"format": "pt"})
    folder = merge.written(tmp_path / "merged", torch.float32)
    assert set(load_file(folder / "model.safetensors")) == set(tensors)
    torch.testing.assert_close(logits(plain(folder)), expected, atol=1e-5, rtol=1e-5)


OPTIONS: list[dict[str, Any]] = [
    {"use_rslora": True},
    {"use_dora": True},
    {"use_dora": True, "target_modules": ["embed_tokens", "q_proj"]},
    {"rank_pattern": {"q_proj": 3}, "alpha_pattern": {"up_proj": 5}},
    {"init_lora_weights": "pissa"},
    {"init_lora_weights": "olora"},
    {"bias": "all"},
    {"bias": "lora_only"},
    {"lora_bias": True, "target_modules": ["q_proj"]},
    {"target_modules": ["embed_tokens", "lm_head"]},
    {"modules_to_save": ["norm", "lm_head"]},
    {"trainable_token_indices": [3, 70]},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_an_option_of_lora_is_what_peft_makes_of_it(options: dict[str, Any], tmp_path: Path) -> None:
    base = tiny_model(tmp_path / "base", attention_bias=True)
    merge = Merge(base, save_adapter(base, tmp_path / "adapter", **options))
    folder = merge.written(tmp_path / "merged")
    expected = logits(plain(base, merge.adapter))
    torch.testing.assert_close(logits(plain(folder)), expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "tied"),
    [
        ({}, True),
        ({"target_modules": ["embed_tokens", "q_proj"]}, False),
        ({"target_modules": ["lm_head"]}, False),
        ({"modules_to_save": ["lm_head"]}, False),
        ({"trainable_token_indices": [3, 70]}, True),
    ],
    ids=str,
)
def test_tied_embeddings_stay_tied_where_both_are_the_same(
    options: dict[str, Any], tied: bool, tmp_path: Path
) -> None:
    base = tiny_model(tmp_path / "base", tie_word_embeddings=True)
    merge = Merge(base, save_adapter(base, tmp_path / "adapter", **options))
    folder = merge.written(tmp_path / "merged")
    expected = logits(plain(base, merge.adapter))
    torch.testing.assert_close(logits(plain(folder)), expected, atol=1e-6, rtol=1e-5)
    assert json.loads((folder / "config.json").read_text())["tie_word_embeddings"] is tied
    assert ("lm_head.weight" in load_file(folder / "model.safetensors")) is not tied


@pytest.mark.parametrize("start", ["pissa_niter_4", "loftq", "corda"])
def test_a_start_that_cannot_be_repeated_is_refused_by_name(start: str, tmp_path: Path) -> None:
    base = tiny_model(tmp_path / "base")
    adapter = save_adapter(base, tmp_path / "adapter")
    file = adapter / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "init_lora_weights": start}))
    with pytest.raises(FlextuneError, match=f"init_lora_weights '{start}'.* cannot be merged from files"):
        open_adapted("base", base, adapter)


def test_bias_without_a_place_is_refused_by_name(tmp_path: Path) -> None:
    base = tiny_model(tmp_path / "base")
    merge = Merge(base, save_adapter(base, tmp_path / "adapter", lora_bias=True))
    with pytest.raises(FlextuneError, match=r"proj cannot be merged \(Impossible .*lora_bias=True"):
        merge.written(tmp_path / "merged")


def test_quantised_files_that_cannot_be_read_are_refused_by_name(tmp_path: Path) -> None:
    merge = merge_of("llama", tmp_path)
    file = merge.base / "config.json"
    quantization = {"quantization_config": {"quant_method": "gptq"}}
    file.write_text(json.dumps({**json.loads(file.read_text()), **quantization}))
    with pytest.raises(FlextuneError, match=r"quantised \(gptq\), which cannot be merged"):
        merge.opened()


def test_what_lies_beside_the_weights_is_kept(tmp_path: Path) -> None:
    merge = merge_of("llama", tmp_path)
    (merge.base / "generation_config.json").write_text('{"temperature": 0.7, "eos_token_id": [1, 5]}')
    (merge.base / "chat_template.jinja").write_text("{{ messages }}")
    folder = merge.written(tmp_path / "merged")
    for name in ("generation_config.json", "chat_template.jinja"):
        assert (folder / name).read_bytes() == (merge.base / name).read_bytes()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.chat_template == "{{ messages }}"
    assert tokenizer("def f")["input_ids"] == AutoTokenizer.from_pretrained(merge.base)("def f")["input_ids"]


def test_the_adapters_own_tokenizer_comes_first(tmp_path: Path) -> None:
    merge = merge_of("llama", tmp_path)
    theirs = AutoTokenizer.from_pretrained(merge.base)
    theirs.chat_template = "{{ trained_with }}"
    theirs.save_pretrained(merge.adapter)
    folder = merge.written(tmp_path / "merged")
    assert AutoTokenizer.from_pretrained(folder).chat_template == "{{ trained_with }}"


def test_a_value_too_large_for_float16_is_an_error(tmp_path: Path) -> None:
    base = base_folder("llama", tmp_path / "base", torch.float32)
    merge = Merge(base, adapter_folder(base, tmp_path / "adapter", 1e6, target_modules=["q_proj"]))
    with pytest.raises(FlextuneError, match=r"q_proj.weight holds .*, too large for float16; choose"):
        merge.written(tmp_path / "merged", torch.float16)


def test_a_disk_that_is_full_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    merge = merge_of("llama", tmp_path)
    target = tmp_path / "merged"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_000, hard))
    try:
        message = r"merged: cannot be written \(.*; nothing is left of it"
        with pytest.raises(FlextuneError, match=message), appearing(target) as partial:
            write_merged(merge.opened(), partial)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(os.listdir(tmp_path)) == ["adapter", "base"]


def test_a_folder_that_holds_something_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "full" / "thing").mkdir(parents=True)
    for name in ("file", "full"):
        with pytest.raises(FlextuneError, match="choose another folder"), appearing(tmp_path / name):
            pass
    (tmp_path / "empty").mkdir()
    with appearing(tmp_path / "empty") as partial:
        (partial / "thing").touch()
    assert os.listdir(tmp_path / "empty") == ["thing"]


def test_the_size_is_known_before_anything_is_written(tmp_path: Path) -> None:
    merge = merge_of("qwen2", tmp_path)
    folder = merge.written(tmp_path / "merged", torch.float32)
    size = (folder / "model.safetensors").stat().st_size
    assert size * 0.8 < merged_size(merge.opened(), torch.float32) <= size


def test_a_four_bit_folder_is_dequantised(tmp_path: Path) -> None:
    """A folder as bitsandbytes saves it, packed here by hand."""
    merge = merge_of("llama", tmp_path, dtype=torch.float32)
    file = merge.base / "model.safetensors"
    tensors = load_file(file)
    name = "model.layers.0.self_attn.q_proj.weight"
    codes = torch.randint(0, 16, (tensors[name].numel(),), generator=torch.Generator().manual_seed(0))
    values, scales = torch.linspace(-1, 1, 16), torch.full((4,), 0.05)
    state = {"quant_type": "nf4", "blocksize": 64, "dtype": "float32", "shape": list(tensors[name].shape)}
    dense = (values[codes] * 0.05).reshape(tensors[name].shape)
    tensors[name] = (codes[0::2] << 4 | codes[1::2]).to(torch.uint8)[:, None]
    tensors[f"{name}.absmax"], tensors[f"{name}.quant_map"] = scales, values
    packed = np.frombuffer(json.dumps(state).encode(), dtype=np.uint8).copy()
    tensors[f"{name}.quant_state.bitsandbytes__nf4"] = torch.from_numpy(packed)
    save_file(tensors, file, metadata={"format": "pt"})
    config = json.loads((merge.base / "config.json").read_text())
    quantization = {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}
    (merge.base / "config.json").write_text(json.dumps({**config, "quantization_config": quantization}))
    folder = merge.written(tmp_path / "merged")
    merged = load_file(folder / "model.safetensors")
    update = torch.from_numpy(dict(exact_updates(merge))[name]).float()
    torch.testing.assert_close(merged[name], dense + update)
    assert not any("absmax" in each or "quant" in each for each in merged)
    assert "quantization_config" not in json.loads((folder / "config.json").read_text())
    assert "NF4 weights, dequantised" in json.loads((folder / "merge.json").read_text())["onto"]
    plain(folder)
