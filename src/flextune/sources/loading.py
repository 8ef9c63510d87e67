"""Problems and training examples by name: the embedded benchmark and the real files travel one path."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from flextune.config import DataPart, EvaluateConfig, TrainConfig
from flextune.data.origins import reading
from flextune.errors import FlextuneError
from flextune.languages import LANGUAGES, supported
from flextune.records import Example, Problem
from flextune.registry import BENCHMARKS, TRAINING_SOURCES
from flextune.sources.benchmarks.base import Benchmark
from flextune.sources.copies import without_copies
from flextune.sources.mixing import interleaved, taken, with_replay
from flextune.sources.own import own_problems, own_source
from flextune.sources.training.base import TrainingSource


def load_problems(part: EvaluateConfig, data_dir: Path | None) -> list[Problem]:
    """The problems of one evaluation, in the benchmark's order, or a file's.

    Raises:
        FlextuneError: The benchmark, or the file, has no problem in that language, or its data is missing or
            bad.
    """
    if part.path is not None:
        with reading(part.name):
            return own_problems(part.path, part.language)[: part.limit]
    benchmark: Benchmark = BENCHMARKS.get(part.benchmark)
    language = supported(
        part.language, benchmark.languages, where=benchmark.name, elsewhere=benchmark.elsewhere
    )
    with reading(_reader(benchmark, language)):
        problems = benchmark.problems(language, part.lexicon, part.limit, data_dir)
    return list(problems[: part.limit])


def load_examples(train: TrainConfig, data_dir: Path | None) -> tuple[list[Example], list[Example]]:
    """Training and validation examples.

    Every source holds problems back for validation. The split is the same for every seed, so that
    validation losses can be compared. Copies are left out (``without_copies``), then parts are mixed
    (``taken``, ``interleaved``), then other languages are replayed (``with_replay``), which does not touch
    the validation set.

    Raises:
        FlextuneError: A source has no such language or option, its data is missing or bad, a share cannot be
            had, or a replayed language is unknown.
    """
    parts = train.parts
    loaded = [_part_examples(train.of_part(part), data_dir) for part in parts]
    held = [list(validation) for _, validation in loaded]
    own = without_copies([list(training) for training, _ in loaded], chain(*held), train.deduplicate)
    if len(parts) > 1:
        own = [list(part) for part in taken(parts, own)]
        total = sum(map(len, own))
        room = [math.ceil(train.validation_size * len(part) / total) for part in own]
        held = [validation[:most] for validation, most in zip(held, room, strict=True)]
    examples, validation = interleaved(own), interleaved(held)[: train.validation_size]
    return with_replay(examples[: train.limit], train.replay), validation


def source_of(part: DataPart) -> TrainingSource:
    """The registered source of a part, or one for its file or hub dataset."""
    source: TrainingSource = own_source(part) if part.source is None else TRAINING_SOURCES.get(part.source)
    for key in sorted(part.options):
        if key not in source.options:
            options = ", ".join(source.options)
            raise FlextuneError(f"train.data {source.name} has no option {key!r} (it has: {options})")
    return source


def _part_examples(train: TrainConfig, data_dir: Path | None) -> tuple[Sequence[Example], Sequence[Example]]:
    source = source_of(train.part)
    language = supported(train.language, source.languages, where=f"train.data {source.name}")
    with reading(_reader(source, language)):
        return source.examples(train, data_dir)


def _reader(source: Benchmark | TrainingSource, language: str) -> str:
    """Whose origins are noted: ``mbpp``, or ``multipl-e java`` where every language has a file."""
    several = 1 < len(source.languages) < len(LANGUAGES.names())
    return f"{source.name} {language}" if several else source.name
