"""Sophia in TRL's trainers whose batches have no labels: preferences (DPO) and generated texts (GRPO)."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from datasets import Dataset
from peft import LoraConfig
from tests.support.tiny import tiny_tokenizer
from torch import Tensor
from transformers import AutoModelForCausalLM, Trainer
from trl import (
    DPOConfig,
    DPOTrainer,
    GRPOConfig,
    GRPOTrainer,
    KTOConfig,
    KTOTrainer,
    RLOOConfig,
    RLOOTrainer,
)

from flextune.errors import FlextuneError
from flextune.optim import GaussNewtonBartlett
from flextune.spectral.pairs import lora_pairs
from flextune.training import SophiaMixin
from flextune.training.callbacks.token_batches import labelled, refuse_unfit

pytestmark = pytest.mark.slow

OPTIONS: dict[str, Any] = {
    "max_steps": 2,
    "learning_rate": 1e-2,
    "lr_scheduler_type": "constant",
    "per_device_train_batch_size": 4,
    "gradient_accumulation_steps": 2,
    "gradient_checkpointing": False,
    "logging_steps": 1,
    "use_cpu": True,
    "bf16": False,
    "report_to": [],
    "save_strategy": "no",
    "disable_tqdm": True,
    "seed": 3,
}
PAIRS = Dataset.from_dict(
    {
        "prompt": ["p" * n for n in range(1, 9)],
        "chosen": ["yes" * (n % 3 + 1) for n in range(8)],
        "rejected": ["no" * (n % 2 + 1) for n in range(8)],
    }
)
PROMPTS = Dataset.from_dict({"prompt": ["ab" * n for n in range(1, 9)]})


class SophiaDPO(SophiaMixin, DPOTrainer):  # type: ignore[misc]
    pass


class SophiaGRPO(SophiaMixin, GRPOTrainer):  # type: ignore[misc]
    pass


class Sums:
    """A reward that keeps what it has judged."""

    __name__ = "sums"

    def __init__(self) -> None:
        self.judged: list[list[int]] = []

    def __call__(self, completion_ids: list[list[int]], **_: Any) -> list[float]:
        self.judged += completion_ids
        return [float(sum(ids)) for ids in completion_ids]


def base(model_folder: Path) -> dict[str, Any]:
    tokenizer = tiny_tokenizer()
    tokenizer.pad_token = tokenizer.eos_token
    return {
        "model": AutoModelForCausalLM.from_pretrained(model_folder),
        "processing_class": tokenizer,
        "peft_config": LoraConfig(r=2, lora_dropout=0.0, target_modules=["q_proj", "up_proj"]),
    }


def started(trainer: Any) -> Any:
    """From a B that is not zero: at zero A has no curvature yet."""
    generator = torch.Generator().manual_seed(1)
    for pair in lora_pairs(trainer.model):
        for _, matrix in pair.factors():
            matrix.data = 0.1 * torch.randn(matrix.shape, generator=generator)
    return trainer


def dpo(kind: type[Trainer], model_folder: Path, folder: Path, **extra: Any) -> Any:
    args = DPOConfig(output_dir=str(folder), max_length=48, **OPTIONS)
    return started(kind(args=args, train_dataset=PAIRS, **base(model_folder), **extra))


def grpo(
    kind: type[Trainer], model_folder: Path, folder: Path, reward: Sums, *, extra: Any = None, **changes: Any
) -> Any:
    sizes = {"num_generations": 2, "max_completion_length": 5, "temperature": 1.0, **changes}
    args = GRPOConfig(output_dir=str(folder), **OPTIONS, **sizes)
    made = {"args": args, "train_dataset": PROMPTS, "reward_funcs": reward}
    return started(kind(**made, **base(model_folder), **(extra or {})))


@pytest.fixture
def estimates(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Tensor]]:
    """The batches that estimates are made of."""
    batches: list[dict[str, Tensor]] = []
    original = GaussNewtonBartlett.accumulate

    def accumulate(self: Any, model: Any, batch: Any, *, scale: float = 1.0) -> None:
        batches.append(dict(batch))
        original(self, model, batch, scale=scale)

    monkeypatch.setattr(GaussNewtonBartlett, "accumulate", accumulate)
    return batches


def counted(batch: dict[str, Tensor]) -> list[list[int]]:
    """Each text's counted tokens."""
    return [row[row != -100].tolist() for row in batch["labels"]]


def assert_estimated(trainer: Any, before: list[Tensor]) -> None:
    line = trainer.state.log_history[0]
    assert {"win_rate_a", "win_rate_b", "hessian_norm"} <= set(line)
    assert 0 < line["estimate_share"] < 1
    assert line["hessian_norm"] > 0
    after = [matrix for pair in lora_pairs(trainer.model) for _, matrix in pair.factors()]
    for one, other in zip(before, after, strict=True):
        assert not torch.equal(one, other)
        # No coordinate moves by more than the rate in each of two steps.
        assert (one - other).abs().max() <= 2e-2 * 1.001


def weights(trainer: Any) -> list[Tensor]:
    return [matrix.detach().clone() for pair in lora_pairs(trainer.model) for _, matrix in pair.factors()]


def test_dpo_estimates_the_tokens_of_chosen_and_rejected_answers(
    model_folder: Path, tmp_path: Path, estimates: list[dict[str, Tensor]]
) -> None:
    trainer = dpo(SophiaDPO, model_folder, tmp_path)
    before, tokenizer = weights(trainer), trainer.processing_class
    trainer.train()
    assert_estimated(trainer, before)
    # Estimates before steps 1 and 2, each of two micro-batches of 4 pairs.
    assert [len(batch["labels"]) for batch in estimates] == [8] * 4
    answers = [tokenizer.decode(ids, skip_special_tokens=True) for ids in counted(estimates[0])]
    assert all(text.strip("yes") == "" for text in answers[:4])
    assert all(text.strip("no") == "" for text in answers[4:])
    first = estimates[0]
    assert torch.equal(first["labels"], first["input_ids"].where(first["labels"] != -100, -100))


def test_dpo_at_rate_0_logs_what_it_logs_without_sophia(model_folder: Path, tmp_path: Path) -> None:
    still = {**OPTIONS, "learning_rate": 0.0}
    logs = []
    for kind in (DPOTrainer, SophiaDPO):
        args = DPOConfig(output_dir=str(tmp_path), max_length=48, **still)
        trainer = started(kind(args=args, train_dataset=PAIRS, **base(model_folder)))
        trainer.train()
        logs.append([(line["loss"], line["grad_norm"]) for line in trainer.state.log_history[:2]])
    assert logs[0] == logs[1]


@pytest.mark.parametrize("steps_per_generation", [1, 2, 4])
def test_grpo_estimates_what_the_policy_drew_and_draws_it_once(
    model_folder: Path, tmp_path: Path, estimates: list[dict[str, Tensor]], steps_per_generation: int
) -> None:
    reward = Sums()
    trainer = grpo(SophiaGRPO, model_folder, tmp_path, reward, steps_per_generation=steps_per_generation)
    before = weights(trainer)
    trainer.train()
    assert_estimated(trainer, before)
    # Two steps of two micro-batches of four texts, and not a text more.
    assert len(reward.judged) == 16
    drawn = [ids for batch in estimates for ids in counted(batch)]
    assert sorted(drawn) == sorted(reward.judged)


def test_grpo_at_rate_0_draws_and_logs_what_it_does_without_sophia(
    model_folder: Path, tmp_path: Path
) -> None:
    seen = []
    for kind in (GRPOTrainer, SophiaGRPO):
        reward = Sums()
        options = {**OPTIONS, "learning_rate": 0.0}
        args = GRPOConfig(output_dir=str(tmp_path), num_generations=2, max_completion_length=5, **options)
        made = {"args": args, "train_dataset": PROMPTS, "reward_funcs": reward}
        trainer = started(kind(**made, **base(model_folder)))
        trainer.train()
        keys = ("loss", "grad_norm", "reward", "completions/mean_length")
        lines = [[line[key] for key in keys] for line in trainer.state.log_history[:2]]
        seen.append((reward.judged, lines))
    assert seen[0] == seen[1]


def test_grpo_estimates_the_policy_at_its_temperature(model_folder: Path, tmp_path: Path) -> None:
    norms = {}
    for temperature in (1.0, 2.0):
        trainer = grpo(SophiaGRPO, model_folder, tmp_path, Sums(), temperature=temperature)
        trainer.create_optimizer()
        curvature = trainer._curvature
        curvature.on_train_begin(trainer.args, trainer.state, trainer.control)
        ids = torch.arange(2, 12).view(1, 10)
        logits, _ = curvature.estimator.predict(trainer.model, {"input_ids": ids, "labels": ids})
        norms[temperature] = logits.norm().item()
    assert norms[1.0] == pytest.approx(2 * norms[2.0], rel=1e-5)


@pytest.mark.parametrize(
    "make", [dpo, lambda kind, model, folder, **options: grpo(kind, model, folder, Sums(), extra=options)]
)
def test_hutchinson_is_refused_before_the_first_step_where_there_are_no_labels(
    model_folder: Path, tmp_path: Path, make: Any
) -> None:
    kind = SophiaDPO if make is dpo else SophiaGRPO
    trainer = make(kind, model_folder, tmp_path, estimator="hutchinson")
    with pytest.raises(FlextuneError, match=f"hutchinson .*which {kind.__name__} does not train; use .*gnb"):
        trainer.train()
    assert trainer.state.global_step == 0
    assert trainer._step_batches == []


class SophiaKTO(SophiaMixin, KTOTrainer):  # type: ignore[misc]
    pass


class SophiaRLOO(SophiaMixin, RLOOTrainer):  # type: ignore[misc]
    pass


def test_kto_estimates_the_tokens_of_its_answers(
    model_folder: Path, tmp_path: Path, estimates: list[dict[str, Tensor]]
) -> None:
    rated = Dataset.from_dict(
        {"prompt": ["ab"] * 8, "completion": ["yes", "no"] * 4, "label": [True, False] * 4}
    )
    args = KTOConfig(output_dir=str(tmp_path), max_length=48, **OPTIONS)
    trainer = started(SophiaKTO(args=args, train_dataset=rated, **base(model_folder)))
    before, tokenizer = weights(trainer), trainer.processing_class
    trainer.train()
    assert_estimated(trainer, before)
    answers = {tokenizer.decode(ids, skip_special_tokens=True) for ids in counted(estimates[0])}
    assert answers <= {"yes", "no"}


def test_rloo_estimates_what_the_policy_drew(
    model_folder: Path, tmp_path: Path, estimates: list[dict[str, Tensor]]
) -> None:
    reward = Sums()
    args = RLOOConfig(output_dir=str(tmp_path), num_generations=2, max_completion_length=5, **OPTIONS)
    made = {"args": args, "train_dataset": PROMPTS, "reward_funcs": reward}
    trainer = started(SophiaRLOO(**made, **base(model_folder)))
    before = weights(trainer)
    trainer.train()
    assert_estimated(trainer, before)
    assert sorted(ids for batch in estimates for ids in counted(batch)) == sorted(reward.judged)


def test_a_tool_s_answer_and_padding_are_not_counted() -> None:
    batch = {
        "prompt_ids": torch.tensor([[0, 5]]),
        "prompt_mask": torch.tensor([[0, 1]]),
        "completion_ids": torch.tensor([[6, 7, 8, 0]]),
        "completion_mask": torch.tensor([[1, 1, 1, 0]]),
        "tool_mask": torch.tensor([[1, 0, 1, 1]]),
        "advantages": torch.tensor([1.0]),
    }
    found = labelled(batch)
    assert {key: value.tolist() for key, value in found.items()} == {
        "input_ids": [[0, 5, 6, 7, 8, 0]],
        "attention_mask": [[0, 1, 1, 1, 1, 0]],
        "labels": [[-100, -100, 6, -100, 8, -100]],
    }


def test_what_the_forward_does_not_take_is_left_out_of_a_preference_batch() -> None:
    ids = torch.tensor([[4, 5, 6]])
    batch = {
        "input_ids": ids,
        "attention_mask": torch.ones(1, 3),
        "completion_mask": torch.tensor([[0, 1, 1]]),
    }
    found = labelled({**batch, "ref_chosen_logps": torch.zeros(1), "KL_input_ids": ids})
    assert list(found) == ["input_ids", "attention_mask", "labels"]
    assert found["labels"].tolist() == [[-100, 5, 6]]


def test_a_batch_with_labels_stays_as_it_is() -> None:
    batch = {"labels": torch.ones(1, 2), "input_ids": torch.ones(1, 2), "completion_mask": torch.zeros(1, 2)}
    assert labelled(batch) is batch


@pytest.mark.parametrize(
    ("batch", "model", "more", "message"),
    [
        ({"input_ids": torch.ones(1, 2)}, {}, {}, "needs labels or a completion_mask .* only input_ids"),
        ({"labels": torch.ones(1)}, {}, {}, r"a label for each token, and the labels have shape \(1,\)"),
        ({"labels": torch.ones(1, 2)}, {"is_encoder_decoder": True}, {}, "causal models"),
        ({}, {}, {"_buffered_inputs": None, "_step": 0, "_is_vlm": True}, "texts alone, no images"),
    ],
)
def test_what_cannot_work_is_refused_by_its_first_example(
    batch: Any, model: dict[str, Any], more: dict[str, Any], message: str
) -> None:
    trainer = SimpleNamespace(
        model=SimpleNamespace(config=SimpleNamespace(**model)),
        train_dataset=[0],
        data_collator=lambda rows: batch,
        curvature_batch=labelled,
        **more,
    )
    with pytest.raises(FlextuneError, match=f"^optimizer: .*{message}"):
        refuse_unfit(trainer, true_labels=False)


def test_a_dataset_that_shows_no_example_before_training_is_not_refused() -> None:
    def no_rows(_: Any) -> Any:
        raise AssertionError("the stream was read")

    trainer = SimpleNamespace(
        model=SimpleNamespace(), train_dataset=iter([1]), data_collator=no_rows, curvature_batch=labelled
    )
    refuse_unfit(trainer, true_labels=True)


def test_the_check_draws_nothing_from_the_training_s_generator() -> None:
    def drawing(rows: Any) -> Any:
        return {"labels": torch.rand(1, 2)}

    trainer = SimpleNamespace(
        model=SimpleNamespace(), train_dataset=[0], data_collator=drawing, curvature_batch=labelled
    )
    before = torch.get_rng_state()
    refuse_unfit(trainer, true_labels=True)
    assert torch.equal(torch.get_rng_state(), before)
