"""The lines of docs/trainer.md on Sophia, run as they stand in a TRL script."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.support.trl_script import PAGE, script

from flextune.optim import Sophia
from flextune.spectral.pairs import lora_pairs


def lines() -> str:
    """The block under the heading; with SFTTrainer in scope it is all that a script needs."""
    section = PAGE.read_text(encoding="utf-8").partition("## Sophia in your own training\n")[2]
    found = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found[1]


def weights(scope: dict[str, Any]) -> list[torch.Tensor]:
    pairs = lora_pairs(scope["trainer"].model)
    return [matrix.detach().clone() for pair in pairs for _, matrix in pair.factors()]


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("estimator", ["gnb", "hutchinson"])
def test_lines_of_the_readme_train_with_sophia_in_trl(
    model_folder: Path, tmp_path: Path, checkpointing: bool, estimator: str
) -> None:
    scope = script(model_folder, tmp_path)
    # The older name is that of transformers 5.17.
    names = ("activation_checkpointing", "gradient_checkpointing")
    option = next(name for name in names if hasattr(scope["args"], name))
    setattr(scope["args"], option, checkpointing)
    scope["args"].learning_rate = 1e-2
    text = lines()
    assert len([line for line in text.splitlines() if line.strip()]) == 3
    if estimator != "gnb":
        text = text.replace("sophia=", f"estimator={estimator!r}, sophia=")
    exec(text, scope)
    trainer, before = scope["trainer"], weights(scope)
    trainer.train()
    assert getattr(trainer.model.get_base_model(), f"is_{option}") == checkpointing
    optimizer = trainer.optimizer.optimizer
    assert isinstance(optimizer, Sophia)
    assert optimizer.param_groups[0]["gamma"] == 1.0
    for one, other in zip(before, weights(scope), strict=True):
        assert not torch.equal(one, other)
        # No coordinate moves by more than the rate.
        assert (one - other).abs().max() <= 1e-2 * 1.001
    line = trainer.state.log_history[0]
    assert {"loss", "win_rate_a", "win_rate_b", "hessian_norm"} <= set(line)
    assert 0 < line["estimate_share"] < 1
