from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import get_peft_model_state_dict
from tests.support.tiny import tiny_model

from flextune.config import AdapterConfig
from flextune.errors import FlextuneError
from flextune.models.adapters import attach_adapter
from flextune.models.load import load_model
from flextune.models.starting import begin_with, check_start

OURS = AdapterConfig(rank=4, alpha=8.0, targets=["q_proj", "v_proj"])


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def finished(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter whose B is not 0."""
    adapted = attach_adapter(load_model(str(model_folder)), OURS, seed=3)
    with torch.no_grad():
        for number, parameter in enumerate(p for p in adapted.parameters() if p.requires_grad):
            parameter.add_(0.01 * (number + 1))
    folder = tmp_path_factory.mktemp("finished")
    adapted.save_pretrained(str(folder))
    return folder


def test_a_training_begins_with_exactly_these_matrices(model_folder: Path, finished: Path) -> None:
    check_start(str(model_folder), finished, OURS)
    adapted = attach_adapter(load_model(str(model_folder)), OURS, seed=0)
    begin_with(adapted, finished)
    other = attach_adapter(load_model(str(model_folder)), OURS, seed=1)
    begin_with(other, finished)
    ours, theirs = get_peft_model_state_dict(adapted), get_peft_model_state_dict(other)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert all(float(tensor.abs().sum()) > 0 for tensor in ours.values())
    assert {name for name, p in adapted.named_parameters() if p.requires_grad} == {
        name for name, _ in adapted.named_parameters() if "lora_" in name
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rank": 2, "alpha": 4.0},
         r"q_proj lora_A has shape \[4, 16\], this training's \[2, 16\]; set adapter\.rank: 4"),
        ({"alpha": 16.0},
         r"its update is scaled by 2, this training's by 4; set adapter\.alpha: 8, or begin with"),
        ({"targets": ["q_proj"]},
         r"only the adapter to start from adapts model\.layers\.0\.self_attn\.v_proj; give"),
        ({"layers": [1]}, r"only the adapter to start from adapts model\.layers\.0\.self_attn\.q_proj"),
        ({"targets": ["q_proj", "v_proj", "k_proj"]},
         r"only this training adapts model\.layers\.0\.self_attn\.k_proj"),
    ],
)  # fmt: skip
def test_a_start_of_another_shape_or_scale_is_refused_beforehand(
    model_folder: Path, finished: Path, changes: dict[str, Any], message: str
) -> None:
    adapter = OURS.model_copy(update=changes)
    for refuse in (
        lambda: check_start(str(model_folder), finished, adapter),
        lambda: begin_with(attach_adapter(load_model(str(model_folder)), adapter, seed=0), finished),
    ):
        with pytest.raises(FlextuneError, match=message):
            refuse()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"use_dora": True}, "use_dora: only plain LoRA is trained on; begin with use: merged"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights 'pissa': only plain LoRA"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save: only plain LoRA"),
        ({"alpha_pattern": {"q_proj": 3}}, "ranks or alphas by module"),
        ({"peft_type": "IA3"}, "peft_type IA3: only plain LoRA"),
    ],
)
def test_other_kinds_of_adapters_are_refused_by_name(
    model_folder: Path, finished: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    for file in finished.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    (tmp_path / "adapter_config.json").write_text(json.dumps({**config, **changes}))
    with pytest.raises(FlextuneError, match=message):
        check_start(str(model_folder), tmp_path, OURS)
