"""Problems and training examples by name: the embedded benchmark and the real files travel one path."""

from __future__ import annotations

from pathlib import Path

from flextune.config import EvaluateConfig, TrainConfig
from flextune.data.origins import reading
from flextune.languages import supported
from flextune.records import Example, Problem
from flextune.registry import BENCHMARKS, TRAINING_SOURCES
from flextune.sources.benchmarks.base import Benchmark
from flextune.sources.mixing import with_replay
from flextune.sources.training.base import TrainingSource


def load_problems(part: EvaluateConfig, data_dir: Path | None) -> list[Problem]:
    """The problems of one evaluation, in the benchmark's order.

    Raises:
        FlextuneError: The benchmark does not exist in that language, or its data is missing or bad.
    """
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
    validation losses can be compared. Replay (``with_replay``) does not touch the validation set.

    Raises:
        FlextuneError: The source has no such language, its data is missing or bad, or a replayed language
            is unknown.
    """
    source: TrainingSource = TRAINING_SOURCES.get(train.data)
    language = supported(train.language, source.languages, where=f"train.data {source.name}")
    with reading(_reader(source, language)):
        examples, validation = source.examples(train, data_dir)
    return with_replay(list(examples), train.replay), list(validation)


def _reader(source: Benchmark | TrainingSource, language: str) -> str:
    """Whose origins are noted: ``mbpp``, or ``multipl-e java`` where every language has a file."""
    return f"{source.name} {language}" if len(source.languages) > 1 else source.name
