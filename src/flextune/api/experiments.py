"""Experiments, evaluations and their runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flextune.config import (
    DecodeConfig,
    Experiment,
    Recipe,
    load_experiment,
    make_experiment,
)
from flextune.config.experiment import DType
from flextune.errors import FlextuneError
from flextune.progress import Reporter, Silent
from flextune.records import Example, Problem
from flextune.runs.run import Run, find_run
from flextune.sources.loading import load_problems as _load_problems

if TYPE_CHECKING:
    from transformers import TrainerCallback

    from flextune.models.load import LoadedModel, Quantization
    from flextune.studies.rounds.experiments import Scale

RUNS = Path("runs")


def run(
    experiment: Experiment | Mapping[str, Any] | Path | str,
    *overrides: str,
    runs: Path | str = RUNS,
    data_dir: Path | str | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    sandbox: bool = True,
    replace: bool = False,
    reporter: Reporter | None = None,
) -> Run:
    """Run an experiment from end to end, as ``flextune run`` does; what is finished is not done again.

    Args:
        experiment: A file, its keys as a mapping, or an ``Experiment``.
        overrides: Keys to set, as ``key.path=value``, for example ``"seeds=[0]"``.
        runs: Folder that holds the runs.
        data_dir: Folder of benchmark files; None: $FLEXTUNE_DATA, then the hub.
        workers: Programs to judge in parallel; None: one per core. With a cluster CPUs of a task; None: one.
        cluster: Address of a Ray cluster whose nodes share ``runs``, ``auto`` or ``local``; None: no cluster.
        sandbox: False runs programs with your rights. Dangerous.
        replace: Replace scores and page of another experiment of this name.
        reporter: Told of the progress.

    Returns:
        The run: ``scores``, ``comparisons``, ``page``, ``trainings()``.

    Raises:
        FlextuneError: Anything a user can mend: a key, data, the model, the sandbox, a toolchain.
    """
    from flextune.runner.cluster.joining import joined
    from flextune.runner.execute import run_experiment

    resolved = _experiment(experiment, overrides)
    with joined(cluster, workers) as executor:
        options = _options(data_dir, workers, sandbox, reporter, replace=replace, executor=executor)
        return run_experiment(resolved, Path(runs) / resolved.name, options).run


def sweep(
    experiment: Experiment | Mapping[str, Any] | Path | str,
    *overrides: str,
    budget: int | None = None,
    arm: str | None = None,
    runs: Path | str = RUNS,
    data_dir: Path | str | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    sandbox: bool = True,
    reporter: Reporter | None = None,
    replace: bool = False,
) -> Run:
    """Vary keys of an experiment, choose, and report the choice, as ``flextune sweep`` and ``tune`` do.

    Args:
        experiment: With a section ``sweep``; or, with a budget, without one.
        overrides: As for ``run``.
        budget: Configurations of a search around the experiment's own values, as ``flextune tune``.
        arm: The arm that is searched, with a budget.
        runs: As for ``run``.
        data_dir: As for ``run``.
        workers: As for ``run``.
        cluster: As for ``run``.
        sandbox: As for ``run``.
        reporter: As for ``run``.
        replace: Replace another sweep, or another experiment's results, of this name.

    Returns:
        The run: ``swept`` has the choice and what it is worth.

    Raises:
        FlextuneError: Anything a user can mend.
    """
    from flextune.runner.cluster.joining import joined
    from flextune.sweeps.automatic import automatic_sweep
    from flextune.sweeps.sweep import run_sweep

    resolved = _experiment(experiment, overrides)
    if budget is not None:
        resolved = automatic_sweep(resolved, budget, arm=arm)
    with joined(cluster, workers) as executor:
        options = _options(data_dir, workers, sandbox, reporter, replace=replace, executor=executor)
        return run_sweep(resolved, Path(runs) / resolved.name, options).run


def reproduce(
    scale: Scale = "embedded",
    *overrides: str,
    model: str | None = None,
    rounds: Sequence[str] | None = None,
    runs: Path | str = RUNS,
    data_dir: Path | str | None = None,
    workers: int | None = None,
    sandbox: bool = True,
    reporter: Reporter | None = None,
) -> Run:
    """Run the rounds of arXiv:2604.06253 as one experiment, as ``flextune reproduce`` does.

    Args:
        scale: ``embedded``: the embedded model. ``small``: ``model``. ``full``: Code Llama 7B.
        overrides: Keys set in every arm, as ``key.path=value``.
        model: For ``small``: a folder, a hub id or a GGUF file.
        rounds: Rounds to run, ``"0"`` to ``"5"``, ``"3a"`` to ``"3c"``; None: all.
        runs: As for ``run``.
        data_dir: As for ``run``.
        workers: As for ``run``.
        sandbox: As for ``run``.
        reporter: As for ``run``.

    Raises:
        FlextuneError: An unknown round, ``small`` without a model, and what ``run`` raises.
    """
    from flextune.studies.rounds.experiments import ROUNDS, all_rounds

    experiment = all_rounds(scale, model=model, rounds=rounds or ROUNDS, overrides=overrides)
    return run(experiment, runs=runs, data_dir=data_dir, workers=workers, sandbox=sandbox, reporter=reporter)


def train(
    model: LoadedModel | str,
    examples: Sequence[Example],
    recipe: Recipe,
    folder: Path | str,
    *,
    validation: Sequence[Example] = (),
    dtype: DType = "float32",
    quantization: Quantization | None = None,
    device: str = "auto",
    callbacks: Sequence[TrainerCallback] = (),
    start: Path | str | None = None,
    resume: Path | str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Train one adapter, or all weights, on examples of your own.

    Args:
        model: A loaded model, or what ``model:`` takes in an experiment.
        examples: What it learns from; conversations are written out by the model's chat template.
        recipe: Adapter, training, optimizer, penalty, seed. Its ``train.data`` and ``train.start`` are for
            experiments; ``train.evaluate`` reads benchmarks from $FLEXTUNE_DATA or the hub.
        folder: Folder for ``training.jsonl``, ``spectrum.json`` and ``adapter/`` (or ``model/``).
        validation: Texts for the validation loss.
        dtype: Type of the weights of a model that is loaded here.
        quantization: Keep its linear layers in ``nf4``, ``fp4`` or ``int8``.
        device: Where the model is loaded.
        callbacks: Callbacks of transformers; they run after those of the recipe.
        start: An adapter of the same shape and scale; its matrices are trained further.
        resume: A checkpoint of the same training; None: the newest in ``folder``, if there is one.
        progress: Called with (steps done, steps in all).

    Returns:
        The adapter's folder, in PEFT's format; where ``recipe.adapter`` is None, the model's.

    Raises:
        FlextuneError: As ``flextune.training.engine.train_adapter``.
    """
    from flextune.extras import need

    if recipe.train.start is not None:
        raise FlextuneError(
            "train: recipe.train.start is for experiments; give the adapter's folder as start="
        )
    need("torch", "transformers", "peft", "accelerate")
    from flextune.models.chat import written_out
    from flextune.models.load import load_model
    from flextune.training.engine import train_adapter

    loaded = model
    if isinstance(loaded, str):
        loaded = load_model(loaded, dtype=dtype, device=device, quantization=quantization)
    if (section := recipe.train.evaluate) is not None:
        from flextune.runner.pass_at_one import watching
        from flextune.runner.work import watched_problems

        problems = watched_problems(section, lambda part: _load_problems(part, None))
        callbacks = [*callbacks, watching(section, problems, loaded)]
    train_adapter(
        loaded,
        written_out(loaded.tokenizer, examples, loaded.name),
        written_out(loaded.tokenizer, validation, loaded.name),
        recipe,
        Path(folder),
        callbacks=callbacks,
        start=None if start is None else Path(start).expanduser(),
        resume=None if resume is None else Path(resume),
        progress=progress,
    )
    return Path(folder) / ("model" if recipe.adapter is None else "adapter")


def evaluate(
    model: str,
    *,
    adapter: Path | str | None = None,
    merged: bool = False,
    benchmark: str | None = None,
    languages: Sequence[str] | str = ("py",),
    lexicon: str = "base",
    limit: int | None = None,
    decode: DecodeConfig | Mapping[str, Any] | None = None,
    dtype: DType | Literal["auto"] = "auto",
    seed: int = 0,
    prompt: str = "completion",
    token_healing: bool = False,
    stops: Literal["benchmark", "program"] = "benchmark",
    server: Mapping[str, Any] | None = None,
    name: str | None = None,
    runs: Path | str = RUNS,
    data_dir: Path | str | None = None,
    workers: int | None = None,
    sandbox: bool = True,
    reporter: Reporter | None = None,
) -> Run:
    """Evaluate a model, or a model with an adapter, as ``flextune eval`` does.

    Evaluations of one model extend one run.

    Args:
        model: ``rosetta``, a folder, a hub id or a GGUF file.
        adapter: A PEFT folder, trained anywhere.
        merged: Merge the adapter into the weights.
        benchmark: Name of a benchmark; it may be left out for the embedded model.
        languages: Languages by their short names.
        lexicon: Wording of the descriptions (Rosetta only).
        limit: Only the first N problems.
        decode: The keys of a ``decode`` section; None: greedy.
        dtype: Type of the weights; auto: as the model is stored.
        seed: Seed of the draws.
        prompt: How problems are posed: a template's name, or a file.
        token_healing: Let longer tokens replace the prompt's last ones.
        stops: ``program`` also keeps helpers that follow.
        server: The keys of ``generate.server`` (``url``, ``kind``, ...); None: decoded here.
        name: Name of the run; ``eval-MODEL`` by default.
        runs: Folder that holds the runs.
        data_dir: As for ``run``.
        workers: As for ``run``.
        sandbox: As for ``run``.
        reporter: As for ``run``.

    Raises:
        FlextuneError: Anything a user can mend.
    """
    from flextune.runner.evaluate import evaluate_model
    from flextune.runner.request import model_request

    request = model_request(
        model,
        adapter=adapter,
        merged=merged,
        benchmark=benchmark,
        languages=languages,
        lexicon=lexicon,
        limit=limit,
        decode=decode,
        dtype=dtype,
        seed=seed,
        generate={"prompt": prompt, "token_healing": token_healing, "stops": stops},
        server=server,
    )
    options = _options(data_dir, workers, sandbox, reporter)
    return evaluate_model(request, Path(runs) / (name or f"eval-{request.name}"), options).run


def generate(
    model: str,
    output: Path | str,
    *,
    adapter: Path | str | None = None,
    merged: bool = False,
    benchmark: str | None = None,
    language: str = "py",
    lexicon: str = "base",
    limit: int | None = None,
    decode: DecodeConfig | Mapping[str, Any] | None = None,
    dtype: DType | Literal["auto"] = "auto",
    seed: int = 0,
    prompt: str = "completion",
    token_healing: bool = False,
    stops: Literal["benchmark", "program"] = "benchmark",
    server: Mapping[str, Any] | None = None,
    data_dir: Path | str | None = None,
    reporter: Reporter | None = None,
) -> int:
    """Write completions to ``output`` and their problems next to it, as ``flextune generate`` does.

    Called again with the same request it continues where it was stopped. The arguments are those of
    ``evaluate``.

    Returns:
        How many completions are in the file.

    Raises:
        FlextuneError: Anything a user can mend; ``output`` holds the completions of another request.
    """
    from flextune.runner.generate_file import generate_file
    from flextune.runner.request import model_request

    request = model_request(
        model,
        adapter=adapter,
        merged=merged,
        benchmark=benchmark,
        languages=[language],
        lexicon=lexicon,
        limit=limit,
        decode=decode,
        dtype=dtype,
        seed=seed,
        generate={"prompt": prompt, "token_healing": token_healing, "stops": stops},
        server=server,
    )
    folder = None if data_dir is None else Path(data_dir)
    return generate_file(request, Path(output), data_dir=folder, reporter=reporter or Silent())


def load_problems(
    benchmark: str,
    language: str = "py",
    *,
    lexicon: str = "base",
    limit: int | None = None,
    data_dir: Path | str | None = None,
) -> list[Problem]:
    """Load the problems of a benchmark in one language.

    Raises:
        FlextuneError: There is no such benchmark or language, or its data is missing or bad.
    """
    raw = {"benchmark": benchmark, "language": language, "lexicon": lexicon, "limit": limit}
    request = make_experiment({"name": "problems", "evaluate": [raw]}, where="load_problems")
    return _load_problems(request.evaluate[0], None if data_dir is None else Path(data_dir))


def open_run(name: Path | str, runs: Path | str = RUNS) -> Run:
    """Open a run by its name below ``runs``, or by its folder.

    Raises:
        FlextuneError: There is no such run.
    """
    return find_run(str(name), Path(runs))


def _experiment(
    experiment: Experiment | Mapping[str, Any] | Path | str, overrides: Sequence[str]
) -> Experiment:
    if isinstance(experiment, (str, Path)):
        return load_experiment(Path(experiment), overrides)
    if isinstance(experiment, Experiment):
        if not overrides:
            return experiment
        experiment = experiment.model_dump(mode="json", exclude_unset=True)
    return make_experiment(experiment, overrides=overrides)


def _options(
    data_dir: Path | str | None,
    workers: int | None,
    sandbox: bool,
    reporter: Reporter | None,
    *,
    replace: bool = False,
    executor: Any = None,
) -> Any:
    from flextune.runner.execute import RunOptions

    folder = None if data_dir is None else Path(data_dir)
    return RunOptions(folder, workers, sandbox, reporter or Silent(), replace, executor)
