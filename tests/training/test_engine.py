from __future__ import annotations

import errno
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from tests.support.engine import HELD_OUT, recipe, tensors, train, weights
from tests.support.trainings import lines, logged
from transformers import AutoModelForCausalLM

import flextune.training.callbacks.logbook as logbook
from flextune.config import KLConfig, PenaltyConfig
from flextune.errors import FlextuneError
from flextune.models.adapters import load_adapter
from flextune.models.load import LoadedModel, load_model
from flextune.records import Example

IDS = torch.tensor([[0, 70, 80, 90]])


@pytest.fixture(scope="module")
def done(loaded: LoadedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(loaded, tmp_path_factory.mktemp("runs") / "done")


def test_log_holds_whole_lines_of_both_kinds(done: Path) -> None:
    steps = [line for line in lines(done) if "loss" in line]
    evaluations = [line for line in lines(done) if "eval_loss" in line]
    assert len(steps) + len(evaluations) == len(lines(done))
    assert [line["step"] for line in steps] == [1, 5, 10]
    assert all(
        set(line) == {"step", "epoch", "loss", "penalty", "grad_norm", "learning_rate"} for line in steps
    )
    assert [line["step"] for line in evaluations] == [0, 2, 4, 6, 8, 10, 12]
    assert steps[0]["penalty"] > 0


def test_every_line_has_the_seconds_of_training_and_the_last_one_the_memory(done: Path) -> None:
    seconds = [line["seconds"] for line in logged(done)]
    assert seconds[0] == 0
    assert seconds == sorted(seconds)
    assert logged(done)[-1].keys() == {"step", "peak_memory_bytes", "seconds", "cpu_seconds"}
    assert logged(done)[-1]["peak_memory_bytes"] > 2**20


def test_training_lowers_both_losses(done: Path) -> None:
    for key in ("loss", "eval_loss"):
        values = [line[key] for line in lines(done) if key in line]
        assert values[-1] < values[0]


def test_first_validation_loss_is_the_base_model_s(loaded: LoadedModel, done: Path) -> None:
    from flextune.training.batches.encoded import encode
    from flextune.training.batches.padded import Collator

    batch = Collator(1)(encode(loaded.tokenizer, HELD_OUT, 64, "completion").rows)
    with torch.no_grad():
        expected = loaded.model(**batch).loss.item()
    assert lines(done)[0]["eval_loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_same_seed_gives_the_same_bytes_and_another_seed_does_not(
    loaded: LoadedModel, done: Path, tmp_path: Path
) -> None:
    random.seed(9)
    torch.manual_seed(9)
    again, other = train(loaded, tmp_path / "again"), train(loaded, tmp_path / "other", seed=1)
    assert weights(again) == weights(done)
    assert lines(again) == lines(done)
    for name in ("spectrum.json", "adapter/adapter_config.json"):
        assert (again / name).read_bytes() == (done / name).read_bytes()
    assert weights(other) != weights(done)


def test_base_model_and_global_generators_are_left_as_they_were(loaded: LoadedModel, tmp_path: Path) -> None:
    names = [name for name, _ in loaded.model.named_modules()]
    with torch.no_grad():
        before = loaded.model(input_ids=IDS).logits
    states = (
        random.getstate(),
        np.random.get_state(legacy=False)["state"]["key"].tolist(),
        torch.random.get_rng_state(),
    )
    folder = train(loaded, tmp_path)
    with torch.no_grad():
        assert torch.equal(loaded.model(input_ids=IDS).logits, before)
        assert not torch.equal(load_adapter(loaded, folder / "adapter").model(input_ids=IDS).logits, before)
    assert [name for name, _ in loaded.model.named_modules()] == names
    assert not loaded.model.training
    assert random.getstate() == states[0]
    assert np.random.get_state(legacy=False)["state"]["key"].tolist() == states[1]
    assert torch.equal(torch.random.get_rng_state(), states[2])


def test_adapter_loads_in_plain_peft(done: Path, model_folder: Path) -> None:
    config = json.loads((done / "adapter" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str(model_folder)
    assert config["target_modules"] == sorted(config["target_modules"])
    assert (config["r"], config["lora_alpha"], config["lora_dropout"]) == (2, 16, 0.05)
    base = AutoModelForCausalLM.from_pretrained(model_folder)
    plain = PeftModel.from_pretrained(base, done / "adapter").state_dict()
    for key, tensor in load_file(done / "adapter" / "adapter_model.safetensors").items():
        assert torch.equal(plain[key.replace(".weight", ".default.weight")], tensor)


def test_spectrum_has_a_row_for_every_matrix(done: Path) -> None:
    rows = json.loads((done / "spectrum.json").read_text())["matrices"]
    assert len(rows) == 2 * 7 * 2
    assert {row["factor"] for row in rows} == {"A", "B"}


def test_whoever_may_read_the_card_may_read_the_weights(done: Path) -> None:
    assert len({path.stat().st_mode for path in (done / "adapter").iterdir()}) == 1


def test_no_partial_folder_is_left(done: Path) -> None:
    assert sorted(path.name for path in done.iterdir()) == ["adapter", "spectrum.json", "training.jsonl"]
    assert sorted(path.name for path in (done / "adapter").iterdir()) == [
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_progress_counts_to_the_end(loaded: LoadedModel, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    train(loaded, tmp_path, progress=lambda step, total: seen.append((step, total)))
    assert seen == [(step, 12) for step in range(13)]


@pytest.mark.slow
def test_epochs_and_schedules(loaded: LoadedModel, tmp_path: Path) -> None:
    rates: dict[str, list[float]] = {}
    for schedule in ("cosine", "linear", "constant"):
        options = recipe(
            max_steps=None,
            epochs=1.5,
            gradient_accumulation_steps=2,
            lr_scheduler_type=schedule,
            warmup_steps=2,
            logging_steps=1,
        )
        folder = train(loaded, tmp_path / schedule, train=options, validation=[])
        rates[schedule] = [line["learning_rate"] for line in lines(folder)]
    # 22 examples are 6 batches, 3 steps, in an epoch; 1.5 epochs are 5 steps.
    assert rates["constant"] == pytest.approx([0, 5e-3, 1e-2, 1e-2, 1e-2])
    assert rates["linear"] == pytest.approx([0, 5e-3, 1e-2, 2e-2 / 3, 1e-2 / 3])
    assert rates["cosine"] == pytest.approx([0, 5e-3, 1e-2, 7.5e-3, 2.5e-3])


def test_penalty_null_and_bfloat16(model_folder: Path, tmp_path: Path) -> None:
    half = load_model(str(model_folder), dtype="bfloat16", device="cpu")
    folder = train(half, tmp_path, penalty=None, train=recipe(max_steps=2, logging_steps=1))
    assert [line["penalty"] for line in lines(folder) if "loss" in line] == [0.0, 0.0]
    # Adapters train in float32 over half-precision weights.
    tensors = load_file(folder / "adapter" / "adapter_model.safetensors").values()
    assert {tensor.dtype for tensor in tensors} == {torch.float32}


@pytest.mark.slow
def test_every_kind_of_penalty_trains_an_adapter_of_its_own(
    loaded: LoadedModel, done: Path, tmp_path: Path
) -> None:
    kinds = ("l2", "reversed", "permuted", "update")
    trained = [train(loaded, tmp_path / k, penalty=PenaltyConfig(kind=k)) for k in kinds]
    assert len({weights(folder) for folder in (done, *trained)}) == 5
    assert all([line["penalty"] for line in lines(folder) if "loss" in line][-1] > 0 for folder in trained)


@pytest.mark.slow
def test_penalty_in_the_loss_is_its_gradient_and_a_proximal_step_is_not(
    loaded: LoadedModel, done: Path, tmp_path: Path
) -> None:
    # Few steps: Adam turns differences of rounding into steps.
    short = recipe(max_steps=2, logging_steps=1, warmup_steps=0)
    found = {
        way: train(loaded, tmp_path / way, train=short, penalty=PenaltyConfig(strength=0.5, apply=way))
        for way in ("loss", "gradient", "proximal")
    }
    for key, tensor in tensors(found["loss"]).items():
        torch.testing.assert_close(tensors(found["gradient"])[key], tensor, rtol=1e-3, atol=1e-4)
    assert any(
        (tensors(found["proximal"])[key] - tensor).abs().max() > 1e-3
        for key, tensor in tensors(found["loss"]).items()
    )
    logged = {way: [line for line in lines(folder) if "loss" in line] for way, folder in found.items()}
    for loss, gradient in zip(logged["loss"], logged["gradient"], strict=True):
        assert loss == pytest.approx(gradient, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("tokens", ["prompt", "all"])
def test_divergence_from_the_base_model_is_logged_and_keeps_predictions_near(
    loaded: LoadedModel, tmp_path: Path, tokens: Any
) -> None:
    """At the start the adapter is the base model: the first line's divergence is 0."""
    long = {"max_steps": 30, "learning_rate": 3e-2, "lr_scheduler_type": "constant", "logging_steps": 1}
    found = {
        weight: train(
            loaded,
            tmp_path / str(weight),
            penalty=None,
            train=recipe(**long, kl=KLConfig(weight=weight, tokens=tokens)),
        )
        for weight in (1e-6, 100.0)
    }
    free, bound = (
        [line["kl"] / weight for line in lines(folder) if "loss" in line] for weight, folder in found.items()
    )
    assert free[0] == pytest.approx(0, abs=1e-6)
    assert 0 < sum(bound[-10:]) < 0.8 * sum(free[-10:])


def test_divergence_on_prompts_needs_a_prompt(loaded: LoadedModel, tmp_path: Path) -> None:
    examples = [Example("x", "", "abc")]
    with pytest.raises(FlextuneError, match=r"train\.kl: no example has a prompt .* tokens: all"):
        train(loaded, tmp_path, examples=examples, train=recipe(kl=KLConfig()))


def test_full_loss_trains_the_prompt_too(loaded: LoadedModel, tmp_path: Path) -> None:
    first = lines(train(loaded, tmp_path, train=recipe(loss="full")))[0]
    from flextune.training.batches.encoded import encode
    from flextune.training.batches.padded import Collator

    batch = Collator(1)(encode(loaded.tokenizer, HELD_OUT, 64, "full").rows)
    with torch.no_grad():
        assert first["eval_loss"] == pytest.approx(loaded.model(**batch).loss.item(), rel=1e-5)


def test_long_examples_are_cut(loaded: LoadedModel, tmp_path: Path) -> None:
    folder = train(loaded, tmp_path, examples=[Example("x", "a", "b" * 500)], train=recipe(max_steps=1))
    assert (folder / "adapter").is_dir()


@pytest.mark.parametrize("examples", [[], [Example("long", "p" * 90, "c")]], ids=["none", "no token left"])
def test_nothing_to_learn_from(loaded: LoadedModel, tmp_path: Path, examples: list[Example]) -> None:
    with pytest.raises(FlextuneError, match="nothing to learn from"):
        train(loaded, tmp_path, examples=examples)


def test_loss_that_is_not_finite_names_step_rate_and_dtype(loaded: LoadedModel, tmp_path: Path) -> None:
    broken = recipe(learning_rate=1e30, lr_scheduler_type="constant", warmup_steps=0, max_grad_norm=0)
    with pytest.raises(FlextuneError, match=r"the loss is (nan|inf) at step \d+ .*1e\+30, torch.float32"):
        train(loaded, tmp_path, train=broken, validation=[])
    assert not (tmp_path / "adapter").exists()


@pytest.mark.slow
def test_killed_training_leaves_no_adapter_and_starts_anew(
    loaded: LoadedModel, done: Path, tmp_path: Path
) -> None:
    train(loaded, tmp_path)

    def kill(step: int, total: int) -> None:
        if step == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(loaded, tmp_path, progress=kill)
    assert not (tmp_path / "adapter").exists()
    assert lines(tmp_path)[-1]["step"] == 5
    train(loaded, tmp_path)
    assert weights(tmp_path) == weights(done)
    assert lines(tmp_path) == lines(done)


def test_full_disk_is_one_line(loaded: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(logbook.Logbook, "_write", full)
    with pytest.raises(FlextuneError, match=r"cannot be written .*No space left on device"):
        train(loaded, tmp_path)


def on_device(loaded: LoadedModel, **attributes: Any) -> LoadedModel:
    class Elsewhere:
        config = loaded.model.config
        dtype = attributes.get("dtype", torch.float32)
        device = torch.device(attributes.get("device", "cpu"))

    return LoadedModel(Elsewhere(), loaded.tokenizer, "x", "y")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda model: on_device(model, dtype=torch.float16), "float16 needs a CUDA device"),
        (lambda model: on_device(model, device="cuda:1"), "set CUDA_VISIBLE_DEVICES=1 and use device cuda"),
    ],
)
def test_what_the_device_cannot_do_is_refused(
    loaded: LoadedModel, tmp_path: Path, change: Callable[[LoadedModel], LoadedModel], message: str
) -> None:
    with pytest.raises(FlextuneError, match=message):
        train(change(loaded), tmp_path)


def test_context_of_the_model_is_respected(loaded: LoadedModel, tmp_path: Path) -> None:
    with pytest.raises(FlextuneError, match="max_length 200 exceeds the model's context of 128"):
        train(loaded, tmp_path, train=recipe(max_length=200))
