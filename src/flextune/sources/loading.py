"""Problems and training examples by name: the embedded benchmark and the real files travel one path."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import cycle, islice
from pathlib import Path

from flextune.config import EvaluateConfig, Lexicon, ReplayConfig, TrainConfig
from flextune.data import apps, humaneval, mbpp, multipl_e
from flextune.errors import FlextuneError
from flextune.files.rows import Row
from flextune.records import Example, Problem

#: Of Rosetta's lessons; its training sets are drawn with seed 0, and these should be others.
_REPLAY_SEED = 1


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

    Replay takes the place of the last examples, so that steps and schedule stay those of a run without it;
    the validation set has none.

    Raises:
        FlextuneError: The data is missing or bad, or a replayed language is unknown.
    """
    if train.data == "mbpp":
        examples = mbpp.examples(mbpp.read(data_dir, split="train"), train.format)[: train.limit]
        validation = mbpp.examples(mbpp.read(data_dir, split="validation"), train.format)[
            : train.validation_size
        ]
    else:
        examples = _rosetta_examples(train, limit=train.limit, validation=False)
        validation = _rosetta_examples(train, limit=train.validation_size, validation=True)
    replayed = _replayed(train.replay, len(examples)) if train.replay is not None else []
    return [*examples[: len(examples) - len(replayed)], *replayed], validation


def _replayed(replay: ReplayConfig, total: int) -> list[Example]:
    """``share`` of ``total`` examples, one at least, the languages in turn.

    Always in the base lexicon: what the model knew is kept, and no reserved word is taught in another
    language, which would be transfer by teaching.
    """
    from flextune.rosetta.examples import examples

    wanted = max(1, round(replay.share * total))
    if wanted >= total:
        raise FlextuneError(
            f"train.replay.share {replay.share:g} of {total} examples leaves none to learn from"
        )
    turns = Counter(islice(cycle(replay.languages), wanted))
    try:
        return [e for name, count in turns.items() for e in examples(name, seed=_REPLAY_SEED, limit=count)]
    except FlextuneError as error:
        raise FlextuneError(f"train.replay.languages: {error}") from None


def _rosetta_examples(train: TrainConfig, *, limit: int | None, validation: bool) -> list[Example]:
    return list(_rosetta(train.language, train.lexicon, train.format, limit, validation))


@lru_cache(maxsize=8)
def _rosetta(
    language: str, lexicon: Lexicon, form: mbpp.Format, limit: int | None, validation: bool
) -> tuple[Example, ...]:
    """Made anew for every training of a search, they would take longer than a short training."""
    from flextune.rosetta.examples import examples, training_rows

    if language != "py":
        return tuple(examples(language, lexicon=lexicon, limit=limit, validation=validation))
    found = training_rows(lexicon=lexicon, limit=limit, validation=validation)
    rows = (Row(f"rosetta:{number}", fields) for number, fields in enumerate(found, start=1))
    return tuple(mbpp.examples(mbpp.parse(rows), form))
