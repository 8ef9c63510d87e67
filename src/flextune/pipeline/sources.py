"""Problems and training examples by name: the embedded benchmark and the real files travel one path."""

from __future__ import annotations

from pathlib import Path

from flextune.config import EvaluateConfig, TrainConfig
from flextune.data import apps, humaneval, mbpp, multipl_e
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
    if part.benchmark in ("multipl-e", "multipl-e-mbpp"):
        origin: multipl_e.Origin = "humaneval" if part.benchmark == "multipl-e" else "mbpp"
        problems = multipl_e.problems(part.language, data_dir, origin)
    elif part.language != "py":
        raise FlextuneError(
            f"evaluate: {part.benchmark} is Python only (given language: {part.language}); "
            "multipl-e and multipl-e-mbpp have HumanEval and MBPP in other languages"
        )
    elif part.benchmark == "humaneval":
        problems = humaneval.problems(data_dir)
    elif part.benchmark == "humaneval-plus":
        problems = humaneval.plus_problems(data_dir)
    elif part.benchmark == "apps":
        problems = apps.problems(apps.read(data_dir))
    else:
        problems = mbpp.problems(mbpp.read(data_dir, split="test"))
    return problems[: part.limit]


def load_examples(train: TrainConfig, data_dir: Path | None) -> tuple[list[Example], list[Example]]:
    """Training and validation examples.

    Both sources hold problems back for validation. The split is the same for every seed, so that
    validation losses can be compared.

    Raises:
        FlextuneError: The data is missing or bad.
    """
    if train.data == "mbpp":
        examples = mbpp.examples(mbpp.read(data_dir, split="train"), train.format)
        validation = mbpp.examples(mbpp.read(data_dir, split="validation"), train.format)
        return examples[: train.limit], validation[: train.validation]
    return (
        _rosetta_examples(train, limit=train.limit, validation=False),
        _rosetta_examples(train, limit=train.validation, validation=True),
    )


def _rosetta_examples(train: TrainConfig, *, limit: int | None, validation: bool) -> list[Example]:
    from flextune.rosetta.training import examples, training_rows

    if train.language != "py":
        return examples(train.language, lexicon=train.lexicon, limit=limit, validation=validation)
    found = training_rows(lexicon=train.lexicon, limit=limit, validation=validation)
    rows = (Row(f"rosetta:{number}", fields) for number, fields in enumerate(found, start=1))
    return mbpp.examples(mbpp.parse(rows), train.format)
