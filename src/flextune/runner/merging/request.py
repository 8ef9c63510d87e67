"""What ``flextune merge`` and ``ft.merge`` ask for, checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast, get_args

from flextune.config import EvaluateConfig
from flextune.config.experiment import DType
from flextune.config.validation import validate
from flextune.errors import FlextuneError, did_you_mean
from flextune.extras import need
from flextune.languages import canonical, separated
from flextune.models.adapter_folder import usable_adapter
from flextune.models.merging.adapted import Onto
from flextune.models.merging.rounding import Rounding
from flextune.progress import Reporter, Silent
from flextune.records import Problem
from flextune.runner.merging.answers import AnswerOptions
from flextune.runner.merging.merge import MergeOptions
from flextune.runner.merging.probes import fallback_problems, file_problems, run_problems
from flextune.sources.loading import load_problems


def merge_options(
    adapter: Path,
    *,
    base: str | None = None,
    dtype: str = "auto",
    onto: str = "weights",
    rounding: str = "nearest",
    seed: int = 0,
    force: bool = False,
    answers: bool = False,
    prompts: Path | None = None,
    benchmark: str | None = None,
    languages: Sequence[str] | None = None,
    lexicon: str = "base",
    limit: int | None = None,
    max_new_tokens: int = 128,
    compute: str = "float32",
    device: str = "auto",
    data_dir: Path | None = None,
    workers: int | None = None,
    sandbox: bool = True,
    reporter: Reporter | None = None,
) -> MergeOptions:
    """Options of a merge, from words.

    Args:
        adapter: Its folder; its own run's problems are posed where nothing else is asked.
        base: The base model; None: the one that the adapter was made for.
        dtype: float32, bfloat16, float16, or auto: the base model's.
        onto: weights, nf4 or fp4.
        rounding: nearest or stochastic.
        seed: Of stochastic rounding.
        force: Take another base model; keep a merge that is different.
        answers: Compare answers, too.
        prompts: A file of prompts.
        benchmark: A benchmark, whose programs are judged.
        languages: Of the benchmark.
        lexicon: Of the benchmark (Rosetta only).
        limit: Problems at most.
        max_new_tokens: Of each greedy text.
        compute: Type in which both models compute.
        device: Where they do.
        data_dir: Folder of benchmark files.
        workers: Programs to judge in parallel.
        sandbox: False runs programs with the caller's rights.
        reporter: Told of the progress.

    Raises:
        FlextuneError: A word that is none of these, or data that is missing.
    """
    need("torch", "transformers", "peft")
    usable_adapter(adapter)
    if prompts is not None and benchmark is not None:
        raise FlextuneError("--prompts and --benchmark exclude each other: choose one")
    rounded = _one_of("--rounding", rounding, ("nearest", "stochastic"))
    dtypes = get_args(DType)
    kind = _one_of("--dtype", dtype, ("auto", *dtypes))
    asked: AnswerOptions | None = None
    if answers:
        asked = AnswerOptions(
            problems=_problems(adapter, prompts, benchmark, languages, lexicon, limit, data_dir),
            judged=benchmark is not None,
            dtype=cast(DType, _one_of("--compute", compute, dtypes)),
            device=device,
            max_new_tokens=max_new_tokens,
            workers=workers,
            sandbox=sandbox,
        )
    elif prompts is not None or benchmark is not None:
        raise FlextuneError("--prompts and --benchmark need --audit: without it no model is run")
    return MergeOptions(
        base=base,
        dtype=None if kind == "auto" else cast(DType, kind),
        onto=cast(Onto, _one_of("--onto", onto, get_args(Onto))),
        rounding=Rounding(cast(Any, rounded), seed),
        force=force,
        answers=asked,
        reporter=reporter or Silent(),
    )


def _problems(
    adapter: Path,
    prompts: Path | None,
    benchmark: str | None,
    languages: Sequence[str] | None,
    lexicon: str,
    limit: int | None,
    data_dir: Path | None,
) -> list[Problem]:
    if prompts is not None:
        return file_problems(prompts, limit)
    if benchmark is None:
        return run_problems(adapter, limit) or fallback_problems(limit)
    problems = []
    for language in dict.fromkeys(map(canonical, separated(languages or ["py"]))):
        raw = {"benchmark": benchmark, "language": language, "lexicon": lexicon, "limit": limit}
        problems += load_problems(validate(EvaluateConfig, raw), data_dir)
    return problems


def _one_of(option: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        choices = ", ".join(known)
        raise FlextuneError(f"{option} {value!r} is none of {choices}{did_you_mean(value, known)}")
    return value
