"""Training data: what a ``train.data`` gives, and what of an evaluation is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flextune.config import EvaluateConfig, TrainConfig
from flextune.config.validation import validate
from flextune.errors import FlextuneError
from flextune.languages import separated, short_name
from flextune.records import Example, Problem
from flextune.registry import BENCHMARKS
from flextune.sources.loading import load_examples as _load_examples
from flextune.sources.loading import load_problems
from flextune.sources.overlap import NEAR, Overlap
from flextune.sources.overlap import overlap as _overlap
from flextune.sources.own import own_languages

#: What ``train.data`` takes: a name, a path, a part as a mapping, or a list of these.
Data = str | Path | Mapping[str, Any] | Sequence[str | Mapping[str, Any]]


def load_examples(
    data: Data, *, data_dir: Path | str | None = None, **train: Any
) -> tuple[list[Example], list[Example]]:
    """Load training and validation examples, as an experiment would train on them.

    Args:
        data: What ``train.data`` takes.
        data_dir: Folder of benchmark files; None: $FLEXTUNE_DATA, then the hub.
        train: Other keys of the section ``train``: ``language``, ``format``, ``limit``, ``deduplicate``, ...

    Raises:
        FlextuneError: A key or a source that does not exist, or data that is missing or bad.
    """
    raw = {"data": str(data) if isinstance(data, Path) else data, **train}
    section = validate(TrainConfig, raw, prefix="train")
    return _load_examples(section, None if data_dir is None else Path(data_dir))


def overlap(
    data: Data | Sequence[Example],
    benchmarks: Sequence[str] | str,
    *,
    languages: Sequence[str] | None = None,
    threshold: float = NEAR,
    data_dir: Path | str | None = None,
    **train: Any,
) -> Overlap:
    """Find the evaluation problems that training data holds, nearly or in full.

    Args:
        data: What ``train.data`` takes, all of which is searched; or examples.
        benchmarks: Names of benchmarks, or files of your own problems.
        languages: Languages of the problems; None: all that each benchmark has.
        threshold: Smallest share of a problem's prompt, or of its reference solution, that counts.
        data_dir: As for ``load_examples``.
        train: As for ``load_examples``.

    Raises:
        FlextuneError: As ``load_examples``; a benchmark that does not exist.
    """
    folder = None if data_dir is None else Path(data_dir)
    languages = None if languages is None else separated(languages)
    names = [benchmarks] if isinstance(benchmarks, str) else benchmarks
    problems = [problem for name in names for problem in _problems(name, languages, folder)]
    if not problems:
        raise FlextuneError(f"{', '.join(names)}: no problem in {', '.join(languages or ())}")
    given = isinstance(data, Sequence) and not isinstance(data, str) and len(data) > 0
    if given and isinstance(data[0], Example):  # type: ignore[index]
        examples: Sequence[Any] = data  # type: ignore[assignment]
    else:
        options = {"validation_size": 0, **train}
        examples = load_examples(data, data_dir=data_dir, **options)[0]  # type: ignore[arg-type]
    return _overlap(examples, problems, threshold=threshold)


def _problems(benchmark: str, languages: Sequence[str] | None, data_dir: Path | None) -> list[Problem]:
    """In those of the languages that the benchmark has."""
    part = validate(EvaluateConfig, {"benchmark": benchmark}, prefix="evaluate")
    known = own_languages(part.path) if part.path else BENCHMARKS.get(benchmark).languages
    wanted = known if languages is None else [name for name in map(short_name, languages) if name in known]
    parts = [EvaluateConfig(benchmark=benchmark, language=language) for language in wanted]
    return [problem for part in parts for problem in load_problems(part, data_dir)]
