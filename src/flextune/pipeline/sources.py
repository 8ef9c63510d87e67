"""Problems and training examples by name: the embedded benchmark and the real files travel one path."""

from __future__ import annotations

from pathlib import Path

from flextune.config import EvaluateConfig, TrainConfig
from flextune.data import humaneval, mbpp, multipl_e
from flextune.data.files import Row
from flextune.records import Example, FlextuneError, Problem


def load_problems(part: EvaluateConfig, data_dir: Path | None) -> list[Problem]:
    """The problems of one evaluation, in the benchmark's order.

    Raises:
        FlextuneError: The benchmark does not exist in that language, or its data is missing or bad.
    """
    if part.benchmark == "rosetta":
        from flextune.rosetta.rows import rows

        found = rows(part.language, lexicon=part.lexicon, limit=part.limit)
        return [
            multipl_e.problem(Row(f"rosetta-{part.language}:{number}", fields), benchmark="rosetta")
            for number, fields in enumerate(found, start=1)
        ]
    if part.benchmark == "multipl-e":
        problems = multipl_e.problems(part.language, data_dir)
    elif part.language != "py":
        raise FlextuneError(
            f"evaluate: {part.benchmark} is Python only (given language: {part.language}); "
            "multipl-e has HumanEval in other languages"
        )
    elif part.benchmark == "humaneval":
        problems = humaneval.problems(data_dir)
    else:
        problems = mbpp.problems(mbpp.read(data_dir, split="test"))
    return problems[: part.limit]


def load_examples(train: TrainConfig, data_dir: Path | None) -> tuple[list[Example], list[Example]]:
    """Training and validation examples.

    MBPP brings a validation split of its own; of Rosetta's examples the last ones are held out. The split
    is the same for every seed, so that validation losses can be compared.

    Raises:
        FlextuneError: The data is missing or bad, or nothing is left to train on.
    """
    if train.data == "mbpp":
        examples = mbpp.examples(mbpp.read(data_dir, split="train"), train.format)
        validation = mbpp.examples(mbpp.read(data_dir, split="validation"), train.format)
        return examples[: train.limit], validation[: train.validation]
    examples = _rosetta_examples(train)
    if train.validation >= len(examples):
        raise FlextuneError(
            f"train.validation: {train.validation} of {len(examples)} examples leaves none to train on"
        )
    cut = len(examples) - train.validation
    return examples[:cut][: train.limit], examples[cut:]


def _rosetta_examples(train: TrainConfig) -> list[Example]:
    from flextune.rosetta.training import examples, training_rows

    if train.language != "py":
        return examples(train.language, lexicon=train.lexicon)
    found = training_rows(lexicon=train.lexicon)
    rows = (Row(f"rosetta:{number}", fields) for number, fields in enumerate(found, start=1))
    return mbpp.examples(mbpp.parse(rows), train.format)
