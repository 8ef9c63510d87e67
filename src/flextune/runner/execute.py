"""Run an experiment: train, generate, judge, score, report; what is finished is not done again."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from flextune.config import Experiment
from flextune.errors import FlextuneError
from flextune.extras import need
from flextune.judging.settings import JudgeSettings, limits_of, note_missing_toolchains
from flextune.models.adapter_folder import adapter_identity
from flextune.progress import Reporter, Silent
from flextune.records import Comparison, Score
from flextune.report.optimizers.study import write_optimizer_study
from flextune.report.page import write_page
from flextune.runner.generate import complete_all, note_ties
from flextune.runner.judge_queue import JudgeQueue
from flextune.runner.plan import Evaluation, Plan, Training, bare_evaluations, make_plan
from flextune.runner.score import baseline_arm, score_run
from flextune.runner.tuning import tune
from flextune.runs.environment import describe_environment
from flextune.runs.run import RunDirectory
from flextune.sources.loading import load_examples, load_problems

if TYPE_CHECKING:
    from flextune.models.load import LoadedModel


@dataclass(frozen=True)
class RunOptions:
    """What does not change the result of a run.

    Attributes:
        data_dir: Folder of benchmark files; None: $FLEXTUNE_DATA, then the hub.
        workers: Programs judged at the same time; None: one per core.
        accept_risk: Judge without a sandbox where there is none.
    """

    data_dir: Path | None = None
    workers: int | None = None
    accept_risk: bool = False
    reporter: Reporter = field(default_factory=Silent)


@dataclass(frozen=True)
class RunResult:
    """What a finished run found.

    Attributes:
        run: Its folder.
        scores: Of every arm and setting.
        comparisons: Of every arm with the baseline.
        page: The report.
        study: ``optimizers.md``, where the arms have different optimizers.
    """

    run: RunDirectory
    scores: list[Score]
    comparisons: list[Comparison]
    page: Path
    study: Path | None = None


class ModelSource:
    """The base model, loaded when something first needs it."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment

    @cached_property
    def identity(self) -> str:
        """What the model is, found without loading it."""
        need("torch", "transformers", "peft")
        from flextune.models.load import model_identity

        return model_identity(self._experiment.model)

    @cached_property
    def base(self) -> LoadedModel:
        """The model in memory."""
        from flextune.models.load import load_model

        experiment = self._experiment
        return load_model(experiment.model, dtype=experiment.dtype, device=experiment.device)

    def adapted(self, folder: Path, evaluation: Evaluation) -> LoadedModel:
        """The model with an adapter beside its weights, or merged into them, as an evaluation wants it."""
        if evaluation.export == "merged":
            from flextune.models.merging import merge_adapter

            return merge_adapter(self.base, folder, evaluation.scale)
        from flextune.models.adapters import load_adapter

        return load_adapter(self.base, folder, evaluation.scale)


def plan_experiment(experiment: Experiment, source: ModelSource, data_dir: Path | None) -> Plan:
    """The experiment's work, with data read and keys computed."""
    return make_plan(
        experiment,
        model=source.identity,
        problems=lambda part: load_problems(part, data_dir),
        examples=lambda train: load_examples(train, data_dir),
    )


def run_experiment(experiment: Experiment, folder: Path, options: RunOptions) -> RunResult:
    """Do what of the experiment is not done yet in ``folder``, then score and report all of it.

    Killed at any moment and called again, it goes on with the first unfinished batch, and on the CPU
    ends with the same bytes in ``scores.json`` as an uninterrupted run.

    Raises:
        FlextuneError: Anything a user can mend: data, model, options, sandbox, toolchain.
    """
    if not experiment.evaluate:
        raise FlextuneError(
            f"experiment {experiment.name!r} evaluates nothing: add for example "
            "evaluate: [{benchmark: rosetta, language: java}]"
        )
    run = RunDirectory(folder)
    with run.locked():
        source = ModelSource(experiment)
        given = _checked_plan(experiment, source, run, options)
        settings = JudgeSettings(limits_of(experiment.judge), options.workers, options.accept_risk)
        _check_judge(given.evaluations, run, options)
        run.begin(experiment, describe_environment())
        plan = _tuned_plan(experiment, given, source, run, options)
        with JudgeQueue(run, settings, options.reporter) as judging:
            complete_all(plan.of(None), lambda _: source.base, run, judging.submit, options.reporter)
            for training in plan.trainings:
                train_one(training, source, run, options.reporter)
                adapter = run.trained(training.key).adapter

                def adapted(evaluation: Evaluation, adapter: Path = adapter) -> LoadedModel:
                    return source.adapted(adapter, evaluation)

                complete_all(plan.of(training.key), adapted, run, judging.submit, options.reporter)
        scores, comparisons = score_run(experiment.name, baseline_arm(experiment), plan.evaluations, run)
        note_ties(plan.evaluations, run, options.reporter)
        return RunResult(run, scores, comparisons, write_page(folder), write_optimizer_study(folder))


def _checked_plan(
    experiment: Experiment, source: ModelSource, run: RunDirectory, options: RunOptions
) -> Plan:
    """The work as it is given: what can be wrong with it is found before the first training."""
    plan = plan_experiment(experiment, source, options.data_dir)
    for training in plan.trainings:
        if training.optimizer.name == "lion" and not run.trained(training.key).finished:
            need("pytorch_optimizer", what="optimizer lion")
    return plan


def _tuned_plan(
    experiment: Experiment, given: Plan, source: ModelSource, run: RunDirectory, options: RunOptions
) -> Plan:
    """The work once everything is tuned; that of ``given`` where nothing is to be.

    After tuning, all trainings are done first and the arms take turns, so that their times can be compared:
    nothing is judged meanwhile, and whatever else the machine does meets all of them.
    """
    if experiment.tune is None:
        return given

    def plan(variant: Experiment) -> Plan:
        return plan_experiment(variant, source, options.data_dir)

    def train(training: Training) -> None:
        train_one(training, source, run, options.reporter)

    tuned = plan(tune(experiment, run, plan=lambda variant: plan(variant).trainings, train=train))
    for training in sorted(tuned.trainings, key=lambda training: experiment.seeds.index(training.seed)):
        train(training)
    return tuned


def train_experiment(experiment: Experiment, folder: Path, options: RunOptions) -> list[Path]:
    """Only the trainings of an experiment; returns the adapters' folders."""
    run = RunDirectory(folder)
    with run.locked():
        source = ModelSource(experiment)
        given = _checked_plan(experiment, source, run, options)
        run.begin(experiment, describe_environment())
        plan = _tuned_plan(experiment, given, source, run, options)
        for training in plan.trainings:
            train_one(training, source, run, options.reporter)
        return [run.trained(training.key).adapter for training in plan.trainings]


def evaluate_model(
    experiment: Experiment, adapter: Path | None, folder: Path, options: RunOptions
) -> list[Score]:
    """Evaluate a model, or a model with an adapter that was trained anywhere; trains nothing.

    Args:
        experiment: Model, benchmarks, decodings and limits; its ``train`` section and arms are not used.
        adapter: A PEFT folder, or None.
        folder: Receives ``evaluated/`` and ``scores.json``; finished work in it is not done again.
        options: What does not change the result.
    """
    run = RunDirectory(folder)
    with run.locked():
        source = ModelSource(experiment)
        model, training = source.identity, adapter_identity(adapter)
        evaluations = bare_evaluations(
            experiment, model, training, lambda part: load_problems(part, options.data_dir)
        )
        settings = JudgeSettings(limits_of(experiment.judge), options.workers, options.accept_risk)
        _check_judge(evaluations, run, options)

        def load(evaluation: Evaluation) -> LoadedModel:
            return source.base if adapter is None else source.adapted(adapter, evaluation)

        with JudgeQueue(run, settings, options.reporter) as judging:
            complete_all(evaluations, load, run, judging.submit, options.reporter)
        scores, _ = score_run(experiment.name, experiment.name, evaluations, run)
        note_ties(evaluations, run, options.reporter)
        return scores


def train_one(training: Training, source: ModelSource, run: RunDirectory, reporter: Reporter) -> None:
    """Train an adapter unless it is there."""
    trained = run.trained(training.key)
    if trained.finished:
        return
    from flextune.training.engine import train_adapter

    stage = reporter.stage(f"train {training.label}", 1)
    trained.describe(training.row())
    try:
        train_adapter(
            source.base,
            training.examples,
            training.validation,
            adapter=training.adapter,
            train=training.train,
            optimizer=training.optimizer,
            penalty=training.penalty,
            seed=training.seed,
            folder=trained.folder,
            progress=stage.update,
        )
    finally:
        stage.close()


def _check_judge(evaluations: list[Evaluation], run: RunDirectory, options: RunOptions) -> None:
    """Refuse before hours of training what would fail after them: no sandbox, no toolchain."""
    from flextune.judging import check_isolation

    pending = [e for e in evaluations if not run.evaluated(e.key).verdicts_file.exists()]
    if pending and not options.accept_risk:
        check_isolation()
    note_missing_toolchains((evaluation.part.language for evaluation in pending), options.reporter)
