from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from tests.support.command_line import Call

pytestmark = pytest.mark.slow

WEIGHTS = "adapter_model.safetensors"


@pytest.fixture(scope="module")
def adapter(experiment_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter of flextune's own training."""
    from flextune.config import load_experiment
    from flextune.runner.execute import RunOptions, train_experiment

    (folder,) = train_experiment(
        load_experiment(experiment_file), tmp_path_factory.mktemp("runs") / "small", RunOptions()
    )
    return folder


def test_a_trained_adapter_is_shown_beside_its_nulls(flextune: Call, adapter: Path, model_folder: Path):
    said = flextune("spectrum", adapter)
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "adapter: 6 modules, 2 layers, rank 8"
    assert re.fullmatch(
        r"  \d+ of 84 numbers are outside their bands; chance alone puts about 8 there", lines[1]
    )
    assert lines[2] == f"  made for {model_folder}"
    assert max(map(len, lines[3:])) <= 80
    for title in ("High-frequency share, %", "Spectral entropy", "Stable rank", "Effective rank"):
        assert sum(line.startswith(title) for line in lines) == 1
    assert sum("/2" in line for line in lines) == 3 * (4 + 4 + 3 + 3)
    assert "spectrum of adapter: 6/6" in said.err


def test_json_has_every_matrix_and_every_type(flextune: Call, adapter: Path):
    found = flextune("spectrum", f"mine={adapter}", "--json", "--draws", "19", "--seed", "3").json
    assert (found["draws"], found["seed"]) == (19, 3)
    (mine,) = found["adapters"]
    assert (mine["adapter"], mine["folder"]) == ("mine", str(adapter))
    assert len(mine["rows"]) == 6 * 4
    assert len(mine["types"]) == 3 * 4
    for row in mine["rows"]:
        assert 0 < row["high_share"] < 1
        assert row["noise"]["entropy"]["low"] < row["noise"]["entropy"]["high"]


def test_layers_have_a_line_each(flextune: Call, adapter: Path):
    lines = flextune("spectrum", adapter, "--layers").out.splitlines()
    assert sum(line.startswith(("0 down_proj", "1 down_proj")) for line in lines) == 4 * 2


def test_adapters_of_one_name_are_told_apart_by_their_folders(flextune: Call, adapter: Path, tmp_path: Path):
    other = Path(shutil.copytree(adapter, tmp_path / "other" / "adapter"))
    found = flextune("spectrum", adapter, other, "--json").json
    names = [one["adapter"] for one in found["adapters"]]
    assert names == [f"{adapter.parent.name}/adapter", "other/adapter"]
    assert found["adapters"][0]["types"] == found["adapters"][1]["types"]


def test_figures_are_written_and_named(flextune: Call, adapter: Path, tmp_path: Path):
    said = flextune("spectrum", adapter, "--figures", tmp_path / "figures")
    assert said.code == 0
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == [
        "layers.html",
        "plotly.min.js",
        "power.html",
    ]
    assert f"wrote {tmp_path}/figures/power.html" in said.err


def test_what_is_passed_over_is_said(flextune: Call, adapter: Path, tmp_path: Path):
    folder = Path(shutil.copytree(adapter, tmp_path / "more"))
    tensors = load_file(folder / WEIGHTS)
    extra = {f"base_model.model.model.part{n}.weight": tensors[next(iter(tensors))] for n in range(3)}
    save_file(tensors | {name: tensor.clone() for name, tensor in extra.items()}, folder / WEIGHTS)
    lines = flextune("spectrum", folder).out.splitlines()
    assert "  passed over: whole weights of model.part0, model.part1, ... (3)" in lines


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nowhere"], "nowhere: no such folder"),
        (["mine=nowhere"], "nowhere: no such folder"),
        (["{folder}/.."], "no adapter_config.json; it is not an adapter folder"),
        (["{folder}", "{folder}"], "two adapters are called '{folder}': give each a name, as in first="),
        (["a={folder}", "a={folder}"], "two adapters are called 'a': give each a name, as in first={folder}"),
        (["{folder}", "--format", "svg"], "--format is for figures: give --figures DIR"),
        (
            ["{folder}", "--figures", "{folder}/new", "--format", "bmp"],
            "figure format 'bmp': unknown (known: html, png, pdf, svg)",
        ),
    ],
)
def test_a_wrong_request_is_one_line(flextune: Call, adapter: Path, arguments: list[str], complaint: str):
    said = flextune("spectrum", *(text.format(folder=adapter) for text in arguments))
    assert complaint.format(folder=adapter) in said.complaint


def test_a_nan_in_an_adapter_is_named(flextune: Call, adapter: Path, tmp_path: Path):
    folder = Path(shutil.copytree(adapter, tmp_path / "broken"))
    tensors = load_file(folder / WEIGHTS)
    tensors["base_model.model.model.layers.1.mlp.up_proj.lora_B.weight"][3, 2] = float("nan")
    save_file(tensors, folder / WEIGHTS)
    complaint = flextune("spectrum", folder).complaint
    assert complaint == f"{folder}: model.layers.1.mlp.up_proj (lora_B): holds NaN or infinity"


def test_a_folder_whose_name_has_an_equals_sign_is_a_folder(flextune: Call, adapter: Path, tmp_path: Path):
    folder = shutil.copytree(adapter, tmp_path / "lr=1")
    assert json.loads(flextune("spectrum", folder, "--json").out)["adapters"][0]["adapter"] == "lr=1"
