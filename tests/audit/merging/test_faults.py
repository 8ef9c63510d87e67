"""Merges that went wrong in a known way are called by that name; right ones by none."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from tests.support.merges import (
    ARCHITECTURES,
    Merge,
    adapter_folder,
    base_folder,
    changed,
    exact_updates,
    merge_of,
)
from torch import Tensor
from transformers import AutoModelForCausalLM

from flextune.models.four_bit import FourBit, through_four_bits

pytestmark = pytest.mark.slow


def halves(name: str, base: Tensor, update: Tensor) -> Tensor:
    return base + update if ".0." in name else base


def transposed(name: str, base: Tensor, update: Tensor) -> Tensor:
    return base + (update.T if update.shape[0] == update.shape[1] else update)


FAULTS: dict[str, Callable[[str, Tensor, Tensor], Tensor]] = {
    "alpha-twice": lambda name, base, update: base + 2 * update,
    "not-merged": halves,
    "transposed-factor": transposed,
    "wrong-scale": lambda name, base, update: base - update,
    "another-update": lambda name, base, update: base + update.flip(-1),
}


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Merge:
    return merge_of("llama", tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module", params=ARCHITECTURES)
def merge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Merge:
    return merge_of(request.param, tmp_path_factory.mktemp(request.param))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named(fault: str, llama: Merge, tmp_path: Path) -> None:
    _, faults = llama.audit(changed(llama, tmp_path / "wrong", FAULTS[fault]))
    assert [each.name for each in faults] == [fault]
    assert faults[0].grave


@pytest.mark.parametrize("kind", ["gpt2", "gpt_neox", "qwen2", "gemma"])
@pytest.mark.parametrize("fault", ["alpha-twice", "not-merged"])
def test_a_planted_fault_is_named_in_every_architecture(kind: str, fault: str, tmp_path: Path) -> None:
    merge = merge_of(kind, tmp_path)
    _, faults = merge.audit(changed(merge, tmp_path / "wrong", FAULTS[fault]))
    assert [each.name for each in faults] == [fault]


def test_half_the_layers_are_listed(llama: Merge, tmp_path: Path) -> None:
    _, faults = llama.audit(changed(llama, tmp_path / "wrong", halves))
    assert "(layers 1; " in faults[0].words
    assert faults[0].words.startswith("4 of 8 adapted parameters are what they were")


@pytest.mark.parametrize("read", ["a", "b"])
def test_a_factor_whose_entries_are_in_another_order(read: str, llama: Merge, tmp_path: Path) -> None:
    tensors = load_file(llama.adapter / "adapter_model.safetensors")

    def misread(name: str, base: Tensor, update: Tensor) -> Tensor:
        prefix = f"base_model.model.{name.removesuffix('.weight')}"
        a = tensors[f"{prefix}.lora_A.weight"].double()
        b = tensors[f"{prefix}.lora_B.weight"].double()
        a, b = (a.T.reshape(a.shape), b) if read == "a" else (a, b.T.reshape(b.shape))
        return base + 3 * b @ a

    _, faults = llama.audit(changed(llama, tmp_path / "wrong", misread))
    assert [each.name for each in faults] == ["transposed-factor"]


@pytest.mark.parametrize(
    ("factor", "words"),
    [(1 / 3, "alpha / rank was left out"), (2**0.5, r"alpha / sqrt\(rank\) was used"), (0.6, r"0\.6 times$")],
)
def test_a_wrong_scale_is_read(factor: float, words: str, llama: Merge, tmp_path: Path) -> None:
    wrong = changed(llama, tmp_path / "wrong", lambda name, base, update: base + factor * update)
    _, (fault,) = llama.audit(wrong)
    assert fault.name == "wrong-scale"
    assert re.search(words, fault.words)


def test_another_base_model_is_named(llama: Merge, tmp_path: Path) -> None:
    """The merge is right, and onto the weights of another revision."""
    other = Merge(tmp_path / "other", llama.adapter)
    base_folder("llama", other.base)
    file = other.base / "model.safetensors"
    generator = torch.Generator().manual_seed(1)
    tensors = load_file(file)
    moved = {n: t + 0.001 * torch.randn(t.shape, generator=generator).to(t.dtype) for n, t in tensors.items()}
    save_file(moved, file, metadata={"format": "pt"})
    _, faults = llama.audit(other.written(tmp_path / "merged"))
    assert [each.name for each in faults] == ["another-base"]
    assert "another revision" in faults[0].words


def test_an_update_that_rounding_loses_is_named(tmp_path: Path) -> None:
    base = base_folder("llama", tmp_path / "base")
    merge = Merge(base, adapter_folder(base, tmp_path / "adapter", 1e-5, **ARCHITECTURES["llama"]))
    audit, faults = merge.audit(merge.written(tmp_path / "merged"))
    assert [each.name for each in faults] == ["lost-in-rounding"]
    assert audit.unmoved > 0.9
    assert audit.scale < 0.5
    assert merge.audit(merge.written(tmp_path / "wide", torch.float32))[1] == []


@pytest.mark.parametrize("kind", ["nf4", "fp4"])
def test_a_merge_onto_dequantised_weights_is_told_from_one_onto_the_base(
    kind: FourBit, tmp_path: Path
) -> None:
    merge = merge_of("llama", tmp_path, size=0.01)
    folder = changed(
        merge, tmp_path / "wrong", lambda name, base, update: through_four_bits(base, kind).double() + update
    )
    _, faults = merge.audit(folder)
    assert [each.name for each in faults] == ["dequantised-base"]
    assert f"--onto {kind}" in faults[0].words


@pytest.mark.parametrize("dtype", [None, torch.float16, torch.float32])
def test_a_right_merge_has_no_fault(dtype: torch.dtype | None, merge: Merge, tmp_path: Path) -> None:
    audit, faults = merge.audit(merge.written(tmp_path / "merged", dtype))
    assert faults == []
    assert audit.scale == pytest.approx(1, abs=0.02)
    assert not audit.strays


def test_pefts_own_merge_in_bfloat16_has_no_fault(merge: Merge, tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(merge.base, dtype=torch.bfloat16)
    merged = PeftModel.from_pretrained(model, merge.adapter).merge_and_unload()
    merged.save_pretrained(tmp_path / "merged")
    audit, faults = merge.audit(tmp_path / "merged")
    assert faults == []
    assert {change.name for change in audit.changes} == set(dict(exact_updates(merge)))


def test_a_merge_that_lacks_tensors_or_holds_nan(llama: Merge, tmp_path: Path) -> None:
    folder = llama.written(tmp_path / "merged")
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.norm.weight"]
    tensors["model.layers.0.mlp.up_proj.weight"][0, 0] = float("nan")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    _, faults = llama.audit(folder)
    assert [(each.name, each.where) for each in faults] == [
        ("missing-parameter", ("model.norm.weight",)),
        ("not-finite", ("model.layers.0.mlp.up_proj.weight",)),
    ]
