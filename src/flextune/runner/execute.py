"""Run an experiment: train, generate, judge, score, report; what is finished is not done again."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flextune.config import EvaluateConfig, Experiment, JudgeConfig
from flextune.data.origins import recorded_origins
from flextune.errors import FlextuneError, TrainingInterrupted
from flextune.judging import Judge
from flextune.judging.settings import note_missing_toolchains
from flextune.progress import Reporter, Silent
from flextune.records import Comparison, Problem, Score
from flextune.runner.baseline import baseline_note, with_base_arm
from flextune.runner.cards import write_cards
from flextune.runner.checks import (
    check_forms,
    check_prompts,
    check_purpose,
    check_servers,
    check_trainings,
    check_watched,
    refuse_sweep,
)
from flextune.runner.counting import CountedReporter
from flextune.runner.data_notes import data_notes
from flextune.runner.exports import export_merged
from flextune.runner.generate import generate_all, note_ties
from flextune.runner.judge_queue import JudgeQueue, limits_of
from flextune.runner.matching import match
from flextune.runner.models import ModelStore
from flextune.runner.plan import Plan, make_plan
from flextune.runner.replacing import check_replaces_nothing
from flextune.runner.score import score_run
from flextune.runner.sources import plan_sources, remembered
from flextune.runner.together import train_together
from flextune.runner.tuning import tune
from flextune.runner.units import Executor, units_of
from flextune.runner.work import BaseModel, Evaluation, Training
from flextune.runs.environment import describe_environment
from flextune.runs.run import Run
from flextune.studies.writing import Report, write_report

#: Of an evaluation's problems, those that count.
Only = Callable[[EvaluateConfig, list[Problem]], list[Problem]]


@dataclass(frozen=True)
class RunOptions:
    """What does not change the result of a run.

    Attributes:
        data_dir: Folder of benchmark files; None: $FLEXTUNE_DATA, then the hub.
        workers: Programs judged at the same time; None: one per core.
        sandbox: False runs programs with the rights of this process. Dangerous.
        reporter: Told of the progress.
        replace: Whether scores and page of another experiment in the folder may be replaced.
        executor: Does trainings, generations and judgings on other machines; None: this process does them.
    """

    data_dir: Path | None = None
    workers: int | None = None
    sandbox: bool = True
    reporter: Reporter = field(default_factory=Silent)
    replace: bool = True
    executor: Executor | None = None


@dataclass(frozen=True)
class RunResult:
    """What a finished run found.

    Attributes:
        run: Its folder.
        scores: Of every arm and setting.
        comparisons: Those that the experiment names, and of every arm with the baseline.
        report: The page, and what studies wrote beside it.
    """

    run: Run
    scores: list[Score]
    comparisons: list[Comparison]
    report: Report


def run_experiment(experiment: Experiment, folder: Path, options: RunOptions) -> RunResult:
    """Do what of the experiment is not done yet in ``folder``, then score and report all of it.

    Killed at any moment and called again, it continues with the first unfinished batch, and on the CPU
    ends with the same bytes in ``scores.json`` as an uninterrupted run.

    Raises:
        FlextuneError: Anything a user can mend: data, model, options, sandbox, toolchain.
    """
    check_purpose(experiment)
    experiment = with_base_arm(experiment)
    if note := baseline_note(experiment):
        options.reporter.note(note)
    execution = Execution(folder, options)
    with execution.run.locked():
        if not options.replace:
            check_replaces_nothing(experiment, folder)
        plan = execution.begin(experiment)
        execution.evaluate(plan)
        scores, comparisons = score_run(experiment, plan.evaluations, execution.run)
        write_cards(scores, execution.run)
        note_ties(plan.evaluations, execution.run, options.reporter)
        return RunResult(execution.run, scores, comparisons, write_report(folder))


def train_experiment(experiment: Experiment, folder: Path, options: RunOptions) -> list[Path]:
    """Only the trainings of an experiment; returns the folders they gave, then those of merged models."""
    refuse_sweep(experiment)
    if all(arm.train is None for arm in experiment.resolved_arms()):
        raise FlextuneError(f"experiment {experiment.name!r} trains nothing: no arm has a section train")
    execution = Execution(folder, options)
    with execution.run.locked():
        plan = execution.begin(experiment, judged=False)
        execution.train_all(plan.in_turn())
        folders = [execution.run.trained(training.key).result for training in plan.trainings]
        return [*folders, *export_merged(experiment, plan, execution.run, options.reporter)]


class Execution:
    """One experiment at work in its folder.

    Args:
        folder: The run's.
        options: What does not change the result.
    """

    def __init__(self, folder: Path, options: RunOptions) -> None:
        self.run = Run(folder)
        self.options = options
        self.models = ModelStore(self.run, options.reporter)
        self.reporter = options.reporter
        self._sources = remembered(plan_sources(self.models, options.data_dir))
        self._origins: dict[str, str] = {}

    def plan(self, experiment: Experiment, only: Only | None = None) -> Plan:
        """The experiment's work, with data read and keys computed.

        Args:
            experiment: What is planned.
            only: Takes an evaluation and its problems, and gives those that count; None: all.
        """
        sources = self._sources
        if only is not None:
            sources = replace(sources, problems=lambda part: only(part, self._sources.problems(part)))
        with recorded_origins() as origins:
            plan = make_plan(experiment, sources)
        self._origins |= origins
        return plan

    def environment(self) -> dict[str, Any]:
        """Where this runs, and the data that was read for it."""
        return {**describe_environment(), "data": dict(sorted(self._origins.items()))}

    def begin(self, experiment: Experiment, *, judged: bool = True) -> Plan:
        """Check what can be known, write what is run, tune and match what is to be."""
        self.reporter.note(f"{experiment.name}: reading models and data")
        plan = self.plan(experiment)
        unfinished = [t for t in plan.trainings if not self.run.trained(t.key).finished]
        check_trainings(unfinished)
        check_watched(unfinished, self.options.reporter, sandbox=self.options.sandbox)
        for note in data_notes(plan, unfinished):
            self.options.reporter.note(note)
        unjudged = self.check(plan) if judged else []
        self.run.begin(experiment, self.environment(), pending=bool(unfinished or unjudged))
        return plan if experiment.tune is None and experiment.match is None else self._searched(experiment)

    def _unjudged(self, evaluations: list[Evaluation]) -> list[Evaluation]:
        """The evaluations of which a program was not judged yet."""
        return [e for e in evaluations if e.unjudged(self.run)]

    def _searched(self, experiment: Experiment) -> Plan:
        """The work once everything is tuned and matched.

        All trainings are then done first and the arms take turns, so that their times can be compared:
        nothing is judged meanwhile, and whatever else the machine does meets all of them.
        """

        def trainings(variant: Experiment) -> list[Training]:
            return self.plan(variant).trainings

        tuned = tune(experiment, self.run, plan=trainings, train=self.train)
        matched = match(tuned, self.run, plan=trainings, train=self.train, reporter=self.options.reporter)
        plan = self.plan(matched)
        for model in plan.models():
            members = [training for training in plan.trainings if training.model == model]
            self.train_all(sorted(members, key=lambda t: experiment.seeds.index(t.recipe.seed)))
        return plan

    def evaluate(self, plan: Plan) -> None:
        """Train, generate and judge what is missing, one base model after the other.

        Where a server is to have the adapters, all are trained first: it gets them from there.
        """
        counted = self._counted(plan)
        if self.options.executor is not None:
            self._hand_out(plan, self.options.executor)
            return
        self.reporter = counted
        if any(e.generation.form.served and e.generation.form.training for e in plan.evaluations):
            self.train_all(plan.in_turn())
            self.check_servers(plan.evaluations)
        with JudgeQueue(self.run, self._judge, self.reporter) as judging:

            def generate(evaluations: list[Evaluation]) -> None:
                generate_all(evaluations, self.models, self.run, judging.submit, self.reporter)

            for model in plan.models():
                self._evaluate_model(plan, model, generate)

    def _counted(self, plan: Plan) -> CountedReporter:
        """A reporter that numbers the stages which are left; says what is there already."""
        run, evaluations = self.run, plan.evaluations
        untrained = [t for t in plan.trainings if not run.trained(t.key).finished]
        generations = {evaluation.generation.key: evaluation.generation for evaluation in evaluations}
        missing = [each for each in generations.values() if each.unanswered(run)]
        forms = {each.form for each in missing}
        unjudged = {e.key for e in self._unjudged(evaluations)}
        there = [
            f"{total - left} of {total} {what}"
            for what, left, total in (
                ("trainings", len(untrained), len(plan.trainings)),
                ("evaluations", len(unjudged), len({e.key for e in evaluations})),
            )
            if left < total
        ]
        if there:
            self.options.reporter.note(f"already there: {', '.join(there)}")
        left = {"train": len(untrained), "generate": len(forms), "judge": len(unjudged)}
        programs = {"generate": sum(each.total for each in missing)}
        return CountedReporter(self.options.reporter, left, programs)

    def _evaluate_model(
        self, plan: Plan, model: BaseModel, generate: Callable[[list[Evaluation]], None]
    ) -> None:
        generate(plan.of(None, model))
        for training in plan.trainings:
            if training.model == model:
                self.train(training)
                # Arms that call the same model by another name or device share the training.
                generate(plan.of(training.key))

    def _hand_out(self, plan: Plan, executor: Executor) -> None:
        executor.work(units_of(plan, self.run, executor.slots), self.run, self.options)

    def train_all(self, trainings: Iterable[Training]) -> None:
        """Train what is not finished, one after the other; with an executor side by side."""
        if self.options.executor is not None:
            self._hand_out(Plan(list(trainings), []), self.options.executor)
            return
        for training in trainings:
            self.train(training)

    def train(self, training: Training) -> None:
        """Train an adapter, or all weights, unless that is done."""
        trained = self.run.trained(training.key)
        if trained.finished:
            return
        if self.options.executor is not None:
            self._hand_out(Plan([training], []), self.options.executor)
            return
        from flextune.runner.pass_at_one import watching_callbacks
        from flextune.training.callbacks.watch import Watch

        trained.describe(training.row())
        watch = Watch()
        watching = watching_callbacks(training, self.models, self._judge, self.options.data_dir)
        try:
            with self.reporter.stage(f"train {training.label}", 1) as stage:
                train_together(
                    training,
                    self.run,
                    self.models,
                    callbacks=[watch, *watching],
                    progress=lambda done, total: stage.update(done, total, watch.detail),
                )
        except TrainingInterrupted as interruption:
            self.reporter.note(f"{training.label}: {interruption}")
            raise
        _spare_later_collections()

    def judge(self, evaluations: Iterable[Evaluation]) -> None:
        """Judge what is generated and was not judged yet."""
        with JudgeQueue(self.run, self._judge, self.reporter) as judging:
            for evaluation in evaluations:
                judging.submit(evaluation)

    def _judge(self, config: JudgeConfig) -> Judge:
        return Judge(
            limits=limits_of(config),
            workers=self.options.workers,
            sandbox=self.options.sandbox,
            tolerance=config.tolerance,
            site_packages=config.site_packages,
        )

    def check(self, plan: Plan) -> list[Evaluation]:
        """Refuse before hours of work what would fail after them: models, prompts, sandbox, servers.

        Returns:
            Those that are not judged yet, which were checked.
        """
        from flextune.judging import check_isolation
        from flextune.judging.packages import packages_in

        pending = self._unjudged(plan.evaluations)
        unanswered = {e.generation.key: e.generation for e in pending if e.generation.unanswered(self.run)}
        check_forms(list(unanswered.values()), self.options.reporter)
        check_prompts([evaluation.generation for evaluation in pending])
        if pending and self.options.sandbox:
            check_isolation()
        for folder in {evaluation.judge.site_packages for evaluation in pending} - {None}:
            packages_in(str(folder))
        languages = (evaluation.generation.part.language for evaluation in pending)
        note_missing_toolchains(languages, self.options.reporter)
        self.check_servers(plan.evaluations)
        return pending

    def check_servers(self, evaluations: list[Evaluation]) -> None:
        """Refuse before hours of training what a server could not answer after them."""
        generations = {evaluation.generation.key: evaluation.generation for evaluation in evaluations}
        served = [each for each in generations.values() if each.form.served is not None]
        missing = [each for each in served if each.unanswered(self.run)]
        check_servers(missing, lambda key: self.run.trained(key).finished, self.options.reporter)


def _spare_later_collections() -> None:
    """Leave what imports made out of the garbage collections that every training does."""
    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()
