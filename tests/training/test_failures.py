"""What a training says when it cannot go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from tests.support.engine import recipe, train

from flextune.errors import DivergedError, FlextuneError
from flextune.models.load import LoadedModel, load_model
from flextune.records import Example
from flextune.training.trainer import FlexTrainer

GOOD = [Example(f"good-{n}", "say: ", "ab" * (n + 1)) for n in range(4)]


@pytest.mark.parametrize("batches", ["padded", "padding_free"])
def test_a_loss_that_is_no_number_names_step_and_example_and_keeps_the_last_adapter(
    model_folder: Path, tmp_path: Path, batches: str
) -> None:
    """One token's vector is NaN, and one example has it; it comes in the second of two steps, or later."""
    broken = load_model(str(model_folder), device="cpu")
    token = broken.tokenizer("Z", add_special_tokens=False)["input_ids"][0]
    with torch.no_grad():
        broken.model.get_input_embeddings().weight[token] = torch.nan
    examples = [*GOOD, Example("bad", "say: ", "Z")]
    options = recipe(batch_size=1, max_steps=5, batches=batches)
    seed = next(seed for seed in range(20) if _first_is_good(len(examples), seed))
    said = r"the loss is nan at step [2-5] \(example bad; .*after step [1-4] is kept in .*last_good"
    with pytest.raises(DivergedError, match=said):
        train(broken, tmp_path, examples=examples, validation=[], train=options, seed=seed, penalty=None)
    assert not (tmp_path / "adapter").exists()
    base = load_model(str(model_folder), device="cpu").model
    kept = PeftModel.from_pretrained(base, tmp_path / "last_good")
    assert all(torch.isfinite(weight).all() for weight in kept.parameters())


def _first_is_good(count: int, seed: int) -> bool:
    """In an order of batches of one text, whatever their lengths."""
    from flextune.training.batches.order import GroupedBatches

    lengths = [len(example.completion) for example in GOOD] + [1]
    return next(iter(GroupedBatches(lengths, 1, seed))) != [count - 1]


def test_too_little_memory_says_what_to_lower(
    loaded: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")

    monkeypatch.setattr(FlexTrainer, "training_step", full)
    with pytest.raises(
        FlextuneError, match=r"out of memory at step 1 \(4 texts .* lower train.batch_size and raise .* nf4"
    ):
        train(loaded, tmp_path)


def test_another_failure_is_not_called_one_of_memory(
    loaded: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("sizes differ")

    monkeypatch.setattr(FlexTrainer, "training_step", wrong)
    with pytest.raises(RuntimeError, match="sizes differ"):
        train(loaded, tmp_path)
