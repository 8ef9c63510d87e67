"""What makes a step lighter changes no bit of it, or is refused where it cannot run."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from tests.support.engine import recipe, train, weights
from tests.support.trainings import model_with_adapter

from flextune.config import Recipe, TrainConfig
from flextune.errors import FlextuneError
from flextune.models.load import LoadedModel
from flextune.training.arguments import check_training
from flextune.training.memory import use_liger


@pytest.mark.slow
def test_activations_computed_again_change_no_bit_and_no_key(loaded: LoadedModel, tmp_path: Path) -> None:
    """Dropout draws the same again."""
    short = {"max_steps": 4}
    plain = train(loaded, tmp_path / "plain", train=recipe(**short))
    again = train(loaded, tmp_path / "again", train=recipe(**short, gradient_checkpointing=True))
    assert weights(plain) == weights(again)
    assert not any(getattr(module, "gradient_checkpointing", False) for module in loaded.model.modules())
    assert Recipe().given() == Recipe(train=TrainConfig(gradient_checkpointing=True)).given()


@pytest.mark.parametrize(
    ("changes", "dtype", "device", "message"),
    [
        ({"mixed_precision": "float16"}, "float32", "cpu", "training in float16 needs a CUDA device"),
        ({"mixed_precision": "float16"}, "bfloat16", "cuda", "float16 is for weights in float32"),
        ({"use_liger_kernel": True}, "float32", "cpu", "its kernels are for CUDA"),
        ({"use_liger_kernel": True}, "bfloat16", "cuda", r"needs liger-kernel: pip install .flextune.liger"),
        ({"report_to": ["mlflow"]}, "float32", "cpu", "report_to mlflow needs mlflow: pip install mlflow"),
    ],
)
def test_what_cannot_run_is_refused_before(
    loaded: LoadedModel, changes: dict[str, Any], dtype: str, device: str, message: str
) -> None:
    with pytest.raises(FlextuneError, match=message):
        check_training(
            TrainConfig(**changes, max_length=64),
            device=torch.device(device),
            dtype=getattr(torch, dtype),
            config=loaded.model.config,
        )


def test_liger_changes_one_model_and_no_class(loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in that does what Liger does: it replaces classes, and the modules of one model."""
    from transformers.models.llama import modeling_llama

    called: dict[str, Any] = {}

    def apply(rope=True, cross_entropy=False, fused_linear_cross_entropy=True, rms_norm=True, model=None):  # type: ignore[no-untyped-def]
        called.update(rope=rope, fused=fused_linear_cross_entropy, norm=rms_norm, model=model)
        modeling_llama.LlamaRMSNorm = object

    patch = ModuleType("liger_kernel.transformers.monkey_patch")
    patch.MODEL_TYPE_TO_APPLY_LIGER_FN = {"llama": apply}  # type: ignore[attr-defined]
    for name in ("liger_kernel", "liger_kernel.transformers"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, patch.__name__, patch)
    before = modeling_llama.LlamaRMSNorm
    model = model_with_adapter(loaded)
    use_liger(model)
    assert modeling_llama.LlamaRMSNorm is before
    assert (called["rope"], called["fused"], called["norm"]) == (False, False, True)
    assert called["model"] is model.get_base_model()
