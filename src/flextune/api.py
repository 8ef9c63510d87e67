"""flextune from Python: everything that a command does is one call.

Imported lazily as ``flextune.run``, ``flextune.evaluate``, ...; nothing loads torch before a model is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from flextune.records import Comparison, Example, Problem
from flextune.runs.run import Run, find_run
from flextune.sources.loading import load_problems as _load_problems

if TYPE_CHECKING:
    from transformers import TrainerCallback

    from flextune.audit.spectra import AdapterSpectra
    from flextune.judging.scoring import LanguageScore
    from flextune.models.load import LoadedModel
    from flextune.runner.merging.merge import MergeResult
    from flextune.statistics.power import Power
    from flextune.statistics.simulation import Baseline

RUNS = Path("runs")


def run(
    experiment: Experiment | Mapping[str, Any] | Path | str,
    *overrides: str,
    runs: Path | str = RUNS,
    data_dir: Path | str | None = None,
    workers: int | None = None,
    sandbox: bool = True,
    reporter: Reporter | None = None,
) -> Run:
    """Run an experiment from end to end, as ``flextune run`` does; what is finished is not done again.

    Args:
        experiment: A file, its keys as a mapping, or an ``Experiment``.
        overrides: ``key.path=value``, for example ``"seeds=[0]"``.
        runs: Folder that holds the runs.
        data_dir: Folder of benchmark files; None: $FLEXTUNE_DATA, then the hub.
        workers: Programs to judge in parallel; None: one per core.
        sandbox: False runs programs with your rights. Dangerous.
        reporter: Told of the progress.

    Returns:
        The run: ``scores``, ``comparisons``, ``page``, ``trainings()``.

    Raises:
        FlextuneError: Anything a user can mend: a key, data, the model, the sandbox, a toolchain.
    """
    from flextune.runner.execute import run_experiment

    resolved = _experiment(experiment, overrides)
    options = _options(data_dir, workers, sandbox, reporter)
    return run_experiment(resolved, Path(runs) / resolved.name, options).run


def train(
    model: LoadedModel | str,
    examples: Sequence[Example],
    recipe: Recipe,
    folder: Path | str,
    *,
    validation: Sequence[Example] = (),
    dtype: DType = "float32",
    device: str = "auto",
    callbacks: Sequence[TrainerCallback] = (),
    resume: Path | str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Train one adapter on examples of your own.

    Args:
        model: A loaded model, or what ``model:`` takes in an experiment.
        examples: What it learns from.
        recipe: Adapter, training, optimizer, penalty, seed.
        folder: Receives ``training.jsonl``, ``spectrum.json`` and ``adapter/``.
        validation: Texts for the validation loss.
        dtype: Type of the weights of a model that is loaded here.
        device: Where it is loaded.
        callbacks: Of transformers; they take part after those of the recipe.
        resume: A checkpoint of the same training.
        progress: Called with (steps done, steps in all).

    Returns:
        The adapter's folder, in PEFT's format.

    Raises:
        FlextuneError: As ``flextune.training.engine.train_adapter``.
    """
    from flextune.extras import need

    need("torch", "transformers", "peft", "accelerate")
    from flextune.models.load import load_model
    from flextune.training.engine import train_adapter

    loaded = load_model(model, dtype=dtype, device=device) if isinstance(model, str) else model
    start = None if resume is None else Path(resume)
    train_adapter(
        loaded,
        examples,
        validation,
        recipe,
        Path(folder),
        callbacks=callbacks,
        resume=start,
        progress=progress,
    )
    return Path(folder) / "adapter"


def evaluate(
    model: str,
    *,
    adapter: Path | str | None = None,
    merged: bool = False,
    benchmark: str = "rosetta",
    languages: Sequence[str] | str = ("py",),
    lexicon: str = "base",
    limit: int | None = None,
    decode: DecodeConfig | Mapping[str, Any] | None = None,
    dtype: DType = "float32",
    seed: int = 0,
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
        benchmark: Its name.
        languages: Short names.
        lexicon: Wording of the descriptions (Rosetta only).
        limit: Only the first N problems.
        decode: The keys of a ``decode`` section; None: greedy.
        dtype: Type of the weights.
        seed: Of the draws.
        name: Of the run; ``eval-MODEL`` by default.
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
    )
    options = _options(data_dir, workers, sandbox, reporter)
    return evaluate_model(request, Path(runs) / (name or f"eval-{request.name}"), options).run


def generate(
    model: str,
    output: Path | str,
    *,
    adapter: Path | str | None = None,
    merged: bool = False,
    benchmark: str = "rosetta",
    language: str = "py",
    lexicon: str = "base",
    limit: int | None = None,
    decode: DecodeConfig | Mapping[str, Any] | None = None,
    dtype: DType = "float32",
    seed: int = 0,
    data_dir: Path | str | None = None,
    reporter: Reporter | None = None,
) -> int:
    """Write completions to ``output`` and their problems beside it, as ``flextune generate`` does.

    Called again with the same request it continues where it was stopped. The arguments are those of
    ``evaluate``.

    Returns:
        Completions in the file.

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
    """The problems of a benchmark in one language.

    Raises:
        FlextuneError: There is no such benchmark or language, or its data is missing or bad.
    """
    raw = {"benchmark": benchmark, "language": language, "lexicon": lexicon, "limit": limit}
    request = make_experiment({"name": "problems", "evaluate": [raw]}, where="load_problems")
    return _load_problems(request.evaluate[0], None if data_dir is None else Path(data_dir))


def compare(
    first: Path | str, second: Path | str, *, margin: float = 2.0, across: bool = False
) -> Comparison:
    """Two files of verdicts, or two folders that hold one, on their common problems: first minus second.

    Args:
        first: A positive difference means that it is better.
        second: What it is compared with.
        margin: Percentage points within which both count as the same.
        across: Compare files of different languages or benchmarks, too.

    Raises:
        FlextuneError: One is no file of verdicts or has a verdict twice; they have no problem in common, or
            are of different languages or benchmarks.
    """
    from flextune.judging.compare import compare_files

    return compare_files(Path(first), Path(second), margin=margin, across=across)


def power(
    *,
    problems: int,
    seeds: int = 3,
    rate: float = 0.3,
    seed_spread: float = 0.03,
    samples: int = 1,
    baseline: str = "once",
    repeats: int = 300,
    seed: int = 0,
) -> Power:
    """What an experiment can tell before it is run: drawn experiments, decided by the page's own rule.

    Args:
        problems: Posed to both arms.
        seeds: Trainings of an arm; 0 compares two fixed models.
        rate: Expected pass rate of the baseline, 0 to 1.
        seed_spread: Standard deviation of a training's pass rate, 0 to 1.
        samples: Answers for each problem and training.
        baseline: ``once`` is a fixed model that is run once; ``as-many`` is trained and run like the arm.
        repeats: Experiments that are drawn for each difference.
        seed: Of the draws.

    Returns:
        How often each difference is shown, and the smallest that is shown in four of five.

    Raises:
        FlextuneError: A number that no experiment has.
    """
    from flextune.statistics.power import power as drawn
    from flextune.statistics.simulation import Design

    if baseline not in ("once", "as-many"):
        raise FlextuneError(f"power: baseline must be once or as-many (given: {baseline})")
    against: Baseline = "once" if baseline == "once" else "as many"
    design = Design(problems, seeds, samples, against, rate, seed_spread=seed_spread if seeds else 0.0)
    return drawn(design, repeats=repeats, seed=seed)


def score(verdicts: Path | str) -> list[LanguageScore]:
    """pass@k of a file of verdicts, or of a folder that holds one, with intervals: a score for each language.

    Raises:
        FlextuneError: It is no file of verdicts.
    """
    from flextune.judging.scoring import score_file

    return score_file(verdicts)


def spectrum(
    adapter: Path | str,
    name: str | None = None,
    *,
    draws: int = 20,
    bins: int = 64,
    seed: int = 0,
    reporter: Reporter | None = None,
) -> AdapterSpectra:
    """The spectra of an adapter's A, B and update, beside the same in random order and beside noise.

    Args:
        adapter: A LoRA folder in PEFT's format, trained anywhere.
        name: What to call it; the folder's name by default.
        draws: Of each null, for each module.
        bins: Points of a spectrum at most.
        seed: Of the draws.
        reporter: Told of each module.

    Raises:
        FlextuneError: No adapter there, or one without a spectrum.
    """
    from flextune.audit.spectra import adapter_spectra

    folder = Path(adapter)
    return adapter_spectra(
        folder, name or folder.name, draws=draws, bins=bins, seed=seed, reporter=reporter or Silent()
    )


def merge(
    adapter: Path | str,
    output: Path | str | None = None,
    *,
    base: str | None = None,
    dtype: str = "auto",
    onto: str = "weights",
    rounding: str = "nearest",
    seed: int = 0,
    audit: bool = False,
    against: Path | str | None = None,
    prompts: Path | str | None = None,
    benchmark: str | None = None,
    languages: Sequence[str] | str | None = None,
    lexicon: str = "base",
    limit: int | None = None,
    max_new_tokens: int = 128,
    compute: str = "float32",
    device: str = "auto",
    force: bool = False,
    data_dir: Path | str | None = None,
    workers: int | None = None,
    sandbox: bool = True,
    reporter: Reporter | None = None,
) -> MergeResult:
    """Merge an adapter into its base model, audit a merge, or both, as ``flextune merge`` does.

    Args:
        adapter: A PEFT folder, trained anywhere.
        output: Folder of the merged model; None: only audit.
        base: The base model; None: the one that the adapter was made for.
        dtype: Of the merged weights: float32, bfloat16, float16, or auto: the base model's.
        onto: What the update is added to: weights, or those as they are in four bits: nf4, fp4.
        rounding: nearest or stochastic.
        seed: Of stochastic rounding.
        audit: Compare the answers of merged and unmerged model, not only the weights.
        against: Audit this merged model, whoever made it.
        prompts: A file of prompts to compare on; None: those of the adapter's run, or Rosetta's.
        benchmark: A benchmark to compare on; its programs are judged.
        languages: Of the benchmark.
        lexicon: Of the benchmark (Rosetta only).
        limit: Problems at most.
        max_new_tokens: Of each greedy text.
        compute: Type in which both models compute.
        device: Where they do.
        force: Take another base model; keep a merge that is different.
        data_dir: As for ``run``.
        workers: As for ``run``.
        sandbox: As for ``run``.
        reporter: As for ``run``.

    Returns:
        ``folder`` (None where nothing was kept, ``refused`` says whether it was to be) and ``audit``, with
        ``verdict``, ``reasons``, ``weights``, ``tokens`` and ``as_row()``.

    Raises:
        FlextuneError: Anything a user can mend.
    """
    from flextune.runner.merging.merge import audit_merge, merge_adapter_folder
    from flextune.runner.merging.request import merge_options

    if output is not None and against is not None:
        raise FlextuneError("output and against exclude each other: against audits a merge that is there")
    folder = Path(adapter).expanduser()
    options = merge_options(
        folder,
        base=base,
        dtype=dtype,
        onto=onto,
        rounding=rounding,
        seed=seed,
        force=force,
        answers=audit or against is not None,
        prompts=None if prompts is None else Path(prompts).expanduser(),
        benchmark=benchmark,
        languages=[languages] if isinstance(languages, str) else languages,
        lexicon=lexicon,
        limit=limit,
        max_new_tokens=max_new_tokens,
        compute=compute,
        device=device,
        data_dir=None if data_dir is None else Path(data_dir),
        workers=workers,
        sandbox=sandbox,
        reporter=reporter,
    )
    if output is None:
        return audit_merge(folder, None if against is None else Path(against).expanduser(), options)
    return merge_adapter_folder(folder, Path(output).expanduser(), options)


def open_run(name: Path | str, runs: Path | str = RUNS) -> Run:
    """A run by its name below ``runs``, or by its folder.

    Raises:
        FlextuneError: There is none.
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
    data_dir: Path | str | None, workers: int | None, sandbox: bool, reporter: Reporter | None
) -> Any:
    from flextune.runner.execute import RunOptions

    folder = None if data_dir is None else Path(data_dir)
    return RunOptions(folder, workers, sandbox, reporter or Silent())
