from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from tests.support.tiny import tiny_config
from transformers import LlamaForCausalLM

from flextune.audit.spectra import AdapterSpectra, adapter_spectra
from flextune.errors import FlextuneError
from flextune.progress import Silent, Stage
from flextune.spectral.comparison import NULLS, NUMBERS

pytestmark = pytest.mark.slow

WEIGHTS = "adapter_model.safetensors"
UP = "base_model.model.model.layers.1.mlp.up_proj.lora_{}.weight"


class Watching(Silent):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int] | tuple[int, int]] = []

    @contextmanager
    def stage(self, label: str, total: int) -> Iterator[Stage]:
        self.seen.append((label, total))
        yield self

    def update(self, done: int, total: int, detail: str = "") -> None:
        self.seen.append((done, total))


def measure(folder: Path, **options: object) -> AdapterSpectra:
    settings: dict[str, Any] = {"draws": 3, "bins": 4, "reporter": Silent(), **options}
    return adapter_spectra(folder, "mine", **settings)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random adapter of the tiny model, of twelve layers, as PEFT writes it."""
    folder = tmp_path_factory.mktemp("adapters") / "random"
    config = LoraConfig(r=2, lora_alpha=8, target_modules=["up_proj", "q_proj"], rank_pattern={"up_proj": 3})
    adapted = get_peft_model(LlamaForCausalLM(tiny_config(num_hidden_layers=12)), config)
    generator = torch.Generator().manual_seed(0)
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:
            parameter.data = torch.randn(parameter.shape, generator=generator)
    adapted.save_pretrained(str(folder))
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "adapter"))


def test_every_module_has_four_rows_in_the_order_of_layers(saved: Path) -> None:
    found = measure(saved)
    views = [(row["factor"], row["axis"]) for row in found.rows]
    assert views == [("A", "row"), ("B", "row"), ("update", "input"), ("update", "output")] * 24
    places = [(row["layer"], row["type"], row["rank"]) for row in found.rows[::4]]
    assert places == [(layer, *kind) for layer in range(12) for kind in (("up_proj", 3), ("q_proj", 2))]
    assert json.loads(json.dumps(found.as_row(), allow_nan=False))["rows"][0]["name"] == (
        "model.layers.0.mlp.up_proj"
    )


def test_update_has_the_scale_of_its_rank(saved: Path) -> None:
    tensors = load_file(saved / WEIGHTS)
    dense = 8 / 3 * tensors[UP.format("B")] @ tensors[UP.format("A")]
    row = next(
        row
        for row in measure(saved, bins=1000).rows
        if (row["name"], row["axis"]) == ("model.layers.1.mlp.up_proj", "input")
    )
    power = torch.tensor(row["power"])
    norm = (2 * power.sum() - power[0] - power[-1]) * dense.shape[0]
    assert norm.item() == pytest.approx(dense.square().sum().item(), rel=1e-5)


def test_a_type_is_the_mean_over_its_modules(saved: Path) -> None:
    found = measure(saved)
    assert [(row["type"], row["modules"]) for row in found.types[::4]] == [("up_proj", 12), ("q_proj", 12)]
    for row in found.types:
        members = [
            other
            for other in found.rows
            if (other["type"], other["factor"], other["axis"]) == (row["type"], row["factor"], row["axis"])
        ]
        for number in NUMBERS:
            mean = sum(member[number] for member in members) / 12
            assert row[number] == pytest.approx(mean)
            for null in NULLS:
                edges = [(member[number], member[null][number]) for member in members]
                count = sum(not b["low"] - 1e-9 <= value <= b["high"] + 1e-9 for value, b in edges)
                assert row["outside"][number][null] == count
    assert any(row["outside"]["entropy"]["noise"] for row in found.types)


def test_seed_decides_the_draws_and_nothing_else(saved: Path) -> None:
    one, same, other = measure(saved, seed=1), measure(saved, seed=1), measure(saved, seed=2)
    assert one == same
    assert [row["power"] for row in one.rows] == [row["power"] for row in other.rows]
    assert [row["noise"] for row in one.rows] != [row["noise"] for row in other.rows]


def test_progress_counts_modules_and_threads_are_given_back(saved: Path) -> None:
    watching = Watching()
    torch.set_num_threads(2)
    try:
        measure(saved, reporter=watching)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert watching.seen == [("spectrum of mine", 24), *((done, 24) for done in range(1, 25))]


def test_experts_have_factors_and_no_update(folder: Path) -> None:
    config = json.loads((folder / "adapter_config.json").read_text())
    config.update(r=1, rank_pattern={}, target_parameters=["mlp.up_proj.weight", "self_attn.q_proj.weight"])
    (folder / "adapter_config.json").write_text(json.dumps(config))
    found = measure(folder)
    assert {row["factor"] for row in found.rows} == {"A", "B"}
    assert {row["rank"] for row in found.rows} == {1}


@pytest.mark.parametrize(
    ("tensor", "complaint"),
    [
        (torch.full((24, 3), math.nan), r"model.layers.1.mlp.up_proj \(lora_B\): holds NaN or infinity"),
        (torch.ones(24, 3, dtype=torch.int8), r"up_proj \(lora_B\): is quantised or integer \(torch.int8\)"),
        (torch.ones(24, 3).to(torch.float8_e4m3fn), r"up_proj \(lora_B\): is quantised or integer"),
        (torch.ones(24, 2), r"up_proj: A of shape \(3, 16\) and B of shape \(24, 2\) differ in rank"),
        (torch.ones(0), r"up_proj \(lora_B\): is empty"),
        (torch.ones(24, 3, device="meta"), r"up_proj \(lora_B\): is on the meta device"),
        (None, "model.layers.1.mlp.up_proj: lora_A has no partner"),
    ],
)
def test_a_tensor_without_a_spectrum_is_named(
    folder: Path, tensor: torch.Tensor | None, complaint: str
) -> None:
    tensors = load_file(folder / WEIGHTS)
    del tensors[UP.format("B")]
    if tensor is not None:
        tensors[UP.format("B")] = tensor
    if tensor is not None and tensor.is_meta:  # safetensors holds values only
        (folder / WEIGHTS).unlink()
        torch.save(tensors, folder / "adapter_model.bin")
    else:
        save_file(tensors, folder / WEIGHTS)
    with pytest.raises(FlextuneError, match=complaint) as caught:
        measure(folder)
    assert str(caught.value).startswith(f"{folder}: ")
    assert "\n" not in str(caught.value)


def test_an_adapter_of_other_tensors_alone_says_what_it_holds(folder: Path) -> None:
    save_file({"base_model.model.head.weight": torch.ones(3, 3)}, folder / WEIGHTS)
    with pytest.raises(FlextuneError, match=r"no LoRA matrix found \(it holds whole weights\)"):
        measure(folder)
    save_file({}, folder / WEIGHTS)
    with pytest.raises(FlextuneError, match=r"no LoRA matrix found$"):
        measure(folder)


def test_a_start_in_the_base_weights_is_told(saved: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pissa"
    shutil.copytree(saved, folder)
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps({**config, "init_lora_weights": "pissa_niter_4"}))
    assert measure(saved).start is None
    assert measure(folder).start == "pissa_niter_4"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"peft_type": "ADALORA"}, "the adapter is ADALORA; only LORA has an update"),
        ({"use_qalora": True}, "the adapter is QA-LoRA, .*; only LORA has an update"),
        ({"use_bdlora": {"nblocks": 2}}, "the adapter is BD-LoRA, .*; only LORA has an update"),
        (
            {"kasa_config": {}, "arrow_config": {"top_k": 1}},
            "the adapter is Arrow, .*; only LORA has an update",
        ),
    ],
)
def test_an_update_that_is_no_product_is_refused_by_name(
    saved: Path, tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    folder = tmp_path / "other"
    shutil.copytree(saved, folder)
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps({**config, **settings}))
    with pytest.raises(FlextuneError, match=message):
        measure(folder)
