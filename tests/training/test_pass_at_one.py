"""pass@1 while a training runs: it disturbs nothing, goes on where it was, and decides what is kept."""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.support.power import FailAt, Power
from tests.support.tiny import tiny_tokenizer
from tests.support.trainings import lines, matrices
from tests.support.trl_script import script
from transformers import AutoModelForCausalLM, PrinterCallback, Trainer, TrainerCallback, TrainingArguments

import flextune
from flextune.config import (
    AdapterConfig,
    EarlyStoppingConfig,
    EvaluateConfig,
    PenaltyConfig,
    Recipe,
    TrainConfig,
    TrainEvaluateConfig,
)
from flextune.errors import FlextuneError
from flextune.models.load import LoadedModel
from flextune.records import Completion, Example, Problem, Verdict
from flextune.runner.pass_at_one import PassAtOneCallback, watching
from flextune.training.callbacks.keeping import KeepBestCallback
from flextune.training.engine import train_adapter

EXAMPLES = [Example(str(n), "p = '", "a" * 9 + "'\n") for n in range(12)]
#: What the examples teach, and (by the pretended judge) something that is never right.
PROBLEMS = [
    Problem("known", "mine", "py", "p = '", "assert p.startswith('aa')", stop=("\n",)),
    Problem("other", "mine", "py", "q = '", "assert q == 'no'", stop=("\n",)),
    Problem("known", "mine", "js", "p = '", "x", stop=("\n",)),
]
TRAIN = TrainConfig(
    max_steps=16,
    batch_size=4,
    learning_rate=1e-2,
    lr_scheduler_type="constant",
    max_length=64,
    logging_steps=5,
    validation_size=2,
)
PARTS = [EvaluateConfig(benchmark="humaneval", language=language) for language in ("py", "js")]


class PretendJudge:
    """Says what the programs would come to, without running them; counts what it was asked."""

    asked: list[str] = []  # noqa: RUF012
    outcome: str | None = None

    def __enter__(self) -> PretendJudge:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def verdicts(self, pairs: Any) -> Iterator[Verdict]:
        for problem, completion in pairs:
            type(self).asked.append(problem.name)
            outcome: Any = type(self).outcome or self.of(completion)
            yield Verdict(problem.name, 0, outcome, "run", "no reason")

    @staticmethod
    def of(completion: Completion) -> str:
        return "passed" if completion.text.startswith("aa") and completion.name != "other" else "wrong_answer"


@pytest.fixture(autouse=True)
def judge() -> type[PretendJudge]:
    PretendJudge.asked, PretendJudge.outcome = [], None
    return PretendJudge


def section(steps: int = 4) -> TrainEvaluateConfig:
    return TrainEvaluateConfig(steps=steps, benchmarks=PARTS, max_new_tokens=6)


def watcher(loaded: LoadedModel, steps: int = 4) -> PassAtOneCallback:
    return watching(section(steps), PROBLEMS, loaded, judge=PretendJudge)  # type: ignore[arg-type]


def train(loaded: LoadedModel, folder: Path, *callbacks: TrainerCallback, **changes: Any) -> Path:
    validation = changes.pop("validation", EXAMPLES[:2])
    recipe = Recipe(
        adapter=AdapterConfig(rank=2, targets="all", dropout=0.1),
        train=TRAIN.model_copy(update=changes),
        penalty=PenaltyConfig(strength=0.01),
    )
    train_adapter(loaded, EXAMPLES, validation, recipe, folder, callbacks=callbacks)
    return folder


def weights(folder: Path) -> bytes:
    return (folder / "adapter" / "adapter_model.safetensors").read_bytes()


def measured(folder: Path) -> dict[int, dict[str, float]]:
    found = [line for line in lines(folder) if "pass_at_1" in line]
    return {line["step"]: {k: v for k, v in line.items() if k not in ("step", "epoch")} for line in found}


@pytest.fixture(scope="module")
def watched(loaded: LoadedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that is evaluated every fourth step."""
    return train(loaded, tmp_path_factory.mktemp("watched"), watcher(loaded))


@pytest.mark.slow
def test_pass_at_1_of_each_language_is_logged_beside_the_loss(watched: Path) -> None:
    found = measured(watched)
    assert list(found) == [0, 4, 8, 12, 16]
    assert found[0] == {"pass_at_1_py": 0.0, "pass_at_1_js": 0.0, "pass_at_1": 0.0}
    assert found[16] == {"pass_at_1_py": 0.5, "pass_at_1_js": 1.0, "pass_at_1": 0.75}
    rows = [json.loads(line) for line in (watched / "pass_at_1.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [0, 4, 8, 12, 16]
    assert rows[-1]["outcomes"]["pass_at_1_py"] == {"known": "passed", "other": "wrong_answer"}


@pytest.mark.slow
def test_the_training_stays_as_it_is(loaded: LoadedModel, watched: Path, tmp_path: Path) -> None:
    """Weights, losses and their steps, with dropout and the penalty."""
    alone = train(loaded, tmp_path)
    assert weights(alone) == weights(watched)
    assert lines(alone) == [line for line in lines(watched) if "pass_at_1" not in line]


class Modes(TrainerCallback):
    """Sees modes and generators before and after a measurement: it stands on both sides of the watcher."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        self.seen.append(([module.training for module in model.modules()], torch.get_rng_state().tolist()))


@pytest.mark.slow
def test_modes_and_generators_come_back(loaded: LoadedModel, tmp_path: Path) -> None:
    before, after = Modes(), Modes()
    train(loaded, tmp_path, before, watcher(loaded, steps=1), after, max_steps=2)
    assert before.seen == after.seen
    assert len(before.seen) == 2
    assert any(before.seen[0][0])


@pytest.mark.slow
def test_a_killed_training_makes_the_same_evaluations_and_none_twice(
    loaded: LoadedModel, tmp_path: Path, judge: type[PretendJudge]
) -> None:
    """Killed before its first checkpoint, between an evaluation and a checkpoint, and after one."""
    options = {
        "evaluate": section(2),
        "keep_best": "pass_at_1",
        "early_stopping": EarlyStoppingConfig(patience=4),
        "max_steps": 20,
    }
    whole = train(loaded, tmp_path / "whole", watcher(loaded, 2), **options)
    once, judge.asked = list(judge.asked), []
    assert lines(whole)[-1]["kept_step"] > 0
    killed = tmp_path / "killed"
    for step, saved in ((2, False), (4, False), (5, True), (6, False), (7, True)):
        with pytest.raises(Power):
            train(loaded, killed, watcher(loaded, 2), FailAt(step, saved=saved), save_steps=3, **options)
    train(loaded, killed, watcher(loaded, 2), **options)
    assert judge.asked == once
    assert lines(killed) == lines(whole)
    assert weights(killed) == weights(whole)


@pytest.mark.slow
def test_the_best_adapter_is_kept_and_patience_ends_the_training(
    loaded: LoadedModel, watched: Path, tmp_path: Path
) -> None:
    options = {
        "evaluate": section(),
        "keep_best": "pass_at_1_py",
        "early_stopping": EarlyStoppingConfig(patience=1),
    }
    # A validation draws from the generator of dropout, so its steps would make another training.
    options["validation"] = []
    folder = train(loaded, tmp_path / "kept", watcher(loaded), max_steps=40, **options)
    best = next(step for step, found in measured(folder).items() if found["pass_at_1_py"] == 0.5)
    end = {"step": best + 4, "kept_step": best, "kept_pass_at_1_py": 0.5}
    assert lines(folder)[-1] == end
    until_then = train(loaded, tmp_path / "until", max_steps=best, validation=[])
    assert weights(folder) == weights(until_then)


@pytest.mark.slow
def test_keeping_by_the_loss_without_stopping(loaded: LoadedModel, tmp_path: Path) -> None:
    folder = train(loaded, tmp_path, keep_best="loss", logging_steps=3)
    losses = {line["step"]: line["loss"] for line in lines(folder) if "loss" in line}
    best = min(losses, key=lambda step: losses[step])
    assert lines(folder)[-1] == {"step": 16, "kept_step": best, "kept_loss": losses[best]}


@pytest.mark.slow
def test_what_cannot_be_judged_is_one_line(
    loaded: LoadedModel, tmp_path: Path, judge: type[PretendJudge], caplog: pytest.LogCaptureFixture
) -> None:
    class Fails(TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            judge.outcome = "sandbox_fault" if state.global_step == 2 else None

    with caplog.at_level(logging.WARNING):
        folder = train(loaded, tmp_path / "later", watcher(loaded, 3), Fails(), max_steps=6)
    assert measured(folder)[3] == dict.fromkeys(("pass_at_1_py", "pass_at_1_js", "pass_at_1"))
    assert measured(folder)[6]["pass_at_1"] is not None
    (said,) = [record.getMessage() for record in caplog.records if "pass@1" in record.getMessage()]
    assert said == (
        "pass@1 at step 3 is unknown: pass_at_1_py: 2 of 2 programs were not judged"
        " (sandbox_fault: no reason)"
    )
    judge.outcome = "toolchain_missing"
    with pytest.raises(FlextuneError, match=r"pass_at_1_py: 2 of 2 programs were not judged \(toolchain_mis"):
        train(loaded, tmp_path / "never", watcher(loaded))


def test_nan_logits_are_one_line(
    loaded: LoadedModel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    callback = watcher(loaded)
    model = AutoModelForCausalLM.from_pretrained(loaded.name)
    arguments = TrainingArguments(output_dir=str(tmp_path), report_to=[], use_cpu=True)
    assert callback.measure(model.eval(), None, arguments, 1)["pass_at_1"] == 0
    torch.nn.init.constant_(model.lm_head.weight, math.nan)
    with caplog.at_level(logging.WARNING):
        found = callback.measure(model, None, arguments, 2)
    assert all(math.isnan(value) for value in found.values())
    assert "pass@1 at step 2 is unknown: model" in caplog.text


def plain_trainer(model_folder: Path, folder: Path, **changes: Any) -> Trainer:
    """What anyone has: transformers' Trainer with a whole model."""
    tokenizer = tiny_tokenizer()
    tokenizer.pad_token = "</s>"
    rows = [tokenizer(e.prompt + e.completion, return_tensors="pt").input_ids[0] for e in EXAMPLES[:4]]
    data = [{"input_ids": row, "labels": row} for row in rows]
    options = {"max_steps": 2, "per_device_train_batch_size": 1, "use_cpu": True, "report_to": []}
    arguments = TrainingArguments(
        output_dir=str(folder), save_strategy="no", disable_tqdm=True, logging_steps=1, **options, **changes
    )
    trainer = Trainer(
        AutoModelForCausalLM.from_pretrained(model_folder),
        arguments,
        train_dataset=data,
        eval_dataset=data,
        processing_class=tokenizer,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def test_in_anyone_s_trainer(model_folder: Path, tmp_path: Path) -> None:
    trainer = plain_trainer(model_folder, tmp_path)
    trainer.add_callback(PassAtOneCallback(PROBLEMS, every=1, judge=PretendJudge, max_new_tokens=4))  # type: ignore[arg-type]
    trainer.add_callback(KeepBestCallback("pass_at_1_py"))
    trainer.train()
    found = [(row["step"], row["pass_at_1_py"]) for row in trainer.state.log_history if "pass_at_1_py" in row]
    assert found == [(0, 0.0), (1, 0.0), (2, 0.0)]
    assert [row["step"] for row in trainer.state.log_history if "loss" in row] == [1, 2]
    # Of equal values the first is kept: the weights before training.
    start = AutoModelForCausalLM.from_pretrained(model_folder).state_dict()
    assert all(torch.equal(start[name], weight) for name, weight in trainer.model.state_dict().items())


def test_beside_the_trainer_s_own_evaluations(model_folder: Path, tmp_path: Path) -> None:
    trainer = plain_trainer(
        model_folder, tmp_path, eval_strategy="steps", eval_steps=2, metric_for_best_model="pass_at_1_js"
    )
    trainer.add_callback(PassAtOneCallback(PROBLEMS, judge=PretendJudge, max_new_tokens=4))  # type: ignore[arg-type]
    trainer.train()
    assert [row["step"] for row in trainer.state.log_history if "pass_at_1_js" in row] == [2]
    assert trainer.state.best_metric == 0.0


@pytest.mark.parametrize(
    ("problems", "message"),
    [
        ([], "there is no problem"),
        ([PROBLEMS[0], PROBLEMS[0]], "two py problems are called 'known'"),
    ],
)
def test_bad_problems_are_refused(problems: list[Problem], message: str) -> None:
    with pytest.raises(FlextuneError, match=message):
        PassAtOneCallback(problems)


def test_a_trainer_that_never_evaluates_is_refused(model_folder: Path, tmp_path: Path) -> None:
    trainer = plain_trainer(model_folder, tmp_path)
    trainer.add_callback(PassAtOneCallback(PROBLEMS))
    with pytest.raises(FlextuneError, match="give every=STEPS, or the Trainer an eval_strategy and eval"):
        trainer.train()


def pretended_problems(benchmark: str, language: str = "py", *, limit: int) -> list[Problem]:
    return [Problem(f"{benchmark} {n}", benchmark, language, "p = '", "t") for n in range(min(limit, 2))]


@pytest.mark.slow
def test_the_lines_of_the_page_evaluate_a_trl_training_and_leave_it_as_it_is(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[2] / "docs/training.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(from flextune import KeepBest.*?)```", page, re.DOTALL)
    monkeypatch.setattr(flextune, "load_problems", pretended_problems, raising=False)
    defaults: Any = PassAtOneCallback.__init__.__kwdefaults__
    monkeypatch.setitem(defaults, "judge", PretendJudge)
    trained = []
    for lines_of_page in ("", code):
        scope = script(model_folder, tmp_path / str(bool(lines_of_page)))
        make = "trainer = SFTTrainer(model, args=args, train_dataset=dataset, peft_config=lora)\n"
        exec(make + lines_of_page, scope)
        scope["trainer"].args.max_steps = 2
        if lines_of_page:
            # The best of equal values is the first; here the last weights are looked at.
            scope["trainer"].remove_callback(KeepBestCallback)
        scope["trainer"].train()
        trained.append(scope["trainer"])
    found = [row for row in trained[1].state.log_history if "pass_at_1_java" in row]
    assert [row["step"] for row in found] == [0, 2]
    assert {"pass_at_1_py", "pass_at_1_java", "pass_at_1"} <= set(found[0])
    one, other = (matrices(trainer.model) for trainer in trained)
    assert all(torch.equal(*pair) for pair in zip(one, other, strict=True))
    kept = ("loss", "mean_token_accuracy", "num_tokens")
    numbers = [[[row.get(k) for k in kept] for row in t.state.log_history if "loss" in row] for t in trained]
    assert numbers[0] == numbers[1]
