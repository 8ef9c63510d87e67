"""What a run needs: memory for its models, and roughly how long it takes on this machine."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from flextune.runner.work import BaseModel, Evaluation, Training
from flextune.runs.run import Run

#: Characters of code in a token.
_CHARACTERS = 3.0
#: Bytes of a weight.
_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
#: Seconds that a step takes whatever the model's size; seconds of a program in the judge.
_TRAINING_STEP, _DECODING_STEP, _PROGRAM = 0.05, 0.01, 0.1
#: Share of its limit that an answer takes, and answers decoded side by side.
_ANSWER, _SIDE_BY_SIDE = 0.5, 32
#: Share of the speed of one large multiplication that a model reaches.
_REACHED = 0.5


@dataclass(frozen=True, slots=True)
class Memory:
    """A base model in memory.

    Attributes:
        model: Its name.
        dtype: Of its weights.
        parameters: How many there are.
        bytes: That the weights take; a training takes more, for activations and the optimizer.
    """

    model: str
    dtype: str
    parameters: int
    bytes: int


def memory(model: BaseModel) -> Memory:
    """The memory of a base model, known from its configuration alone.

    Raises:
        FlextuneError: There is no such model.
    """
    from flextune.models.load import model_skeleton

    count = sum(parameter.numel() for parameter in set(model_skeleton(model.name).parameters()))
    return Memory(model.name, model.dtype, count, count * _BYTES[model.dtype])


def steps(training: Training) -> int:
    """Optimizer steps of a training."""
    train = training.recipe.train
    if train.max_steps is not None:
        return train.max_steps
    per_epoch = math.ceil(len(training.examples) / (train.batch_size * train.gradient_accumulation_steps))
    return math.ceil(train.epochs * per_epoch)


def estimated_seconds(
    trainings: Iterable[Training],
    evaluations: Iterable[Evaluation],
    parameters: dict[str, int],
    run: Run,
    workers: int | None,
) -> float:
    """Seconds that unfinished work would take here, to about a factor of two.

    Trainings and decoding are estimated by what the run has done; where that is nothing, by the operations
    that they take and the speed of a multiplication that is timed now.

    Args:
        trainings: Those that are not finished.
        evaluations: Those that are not finished.
        parameters: Of each base model, by name.
        run: What it has done is looked at.
        workers: Programs judged at the same time; None: one per core.
    """
    per_step, per_program = _measured(run), _measured_decoding(run)
    total = 0.0
    for training in trainings:
        seconds = per_step or _TRAINING_STEP + _training_operations(training, parameters) / _speed(
            training.model.dtype
        )
        total += steps(training) * seconds
    seen: set[str] = set()
    for evaluation in evaluations:
        generation = evaluation.generation
        total += evaluation.unjudged(run) * _PROGRAM / (workers or os.cpu_count() or 1)
        if generation.key not in seen:
            seen.add(generation.key)
            tokens = _ANSWER * generation.decode.max_new_tokens
            model = generation.form.model
            operations = 2 * parameters.get(model.name, 0) * tokens
            overhead = tokens * _DECODING_STEP / _SIDE_BY_SIDE
            total += generation.unanswered(run) * (per_program or operations / _speed(model.dtype) + overhead)
    return total


def _training_operations(training: Training, parameters: dict[str, int]) -> float:
    """Of one optimizer step: forward, and backward to the adapters through frozen weights."""
    train, examples = training.recipe.train, training.examples
    characters = sum(len(e.prompt) + len(e.completion) for e in examples) / max(len(examples), 1)
    tokens = min(characters / _CHARACTERS, train.max_length or math.inf)
    batch = train.batch_size * train.gradient_accumulation_steps
    return 4 * parameters.get(training.model.name, 0) * tokens * batch


def _measured(run: Run) -> float | None:
    """Seconds of a step, by the trainings that a run has finished."""
    counted = seconds = 0.0
    for trained in run.trainings():
        timed = [line for line in trained.log() if line.get("seconds") and line.get("step")]
        if trained.finished and timed:
            counted, seconds = counted + timed[-1]["step"], seconds + timed[-1]["seconds"]
    return seconds / counted if counted else None


def _measured_decoding(run: Run) -> float | None:
    """Seconds of an answer, by those that a run has decoded."""
    rows = [row for row in run.work() if row.get("stage") == "generate"]
    programs = sum(row.get("programs") or 0 for row in rows)
    return sum(row.get("seconds") or 0.0 for row in rows) / programs if programs else None


@cache
def _speed(dtype: str) -> float:
    """Operations a second that models in a type reach here, by a multiplication of two large matrices."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    size = 4096 if device == "cuda" else 512
    matrix = torch.ones(size, size, device=device, dtype=getattr(torch, dtype))
    _ = float((matrix @ matrix)[0, 0])
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < 0.1:
        _ = float((matrix @ matrix)[0, 0])
        count += 1
    return _REACHED * 2 * size**3 * count / (time.perf_counter() - start)
