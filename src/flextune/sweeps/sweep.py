"""A sweep from end to end: baseline, halves, trials, choice, report. Any number of processes may be at it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flextune.config import Experiment
from flextune.errors import FlextuneError
from flextune.files.locks import FileLock
from flextune.records import Score
from flextune.runner.checks import check_trainings
from flextune.runner.execute import Execution, RunOptions
from flextune.runner.replacing import check_replaces_nothing
from flextune.runner.score import gather_scores
from flextune.runner.work import Training
from flextune.runs.run import Run
from flextune.search.base import Search, Settings
from flextune.search.blind import Listed, random_configurations
from flextune.search.bracket import Bracket
from flextune.studies.writing import write_report
from flextune.sweeps.choice import finish
from flextune.sweeps.ledger import Ledger
from flextune.sweeps.parts import Parts, split_by
from flextune.sweeps.space import Space, deciding, make_space, own_value
from flextune.sweeps.trials import Trying, evaluate
from flextune.sweeps.working import try_all

#: Configurations whose trainings are checked before any work, where a search proposes its own.
CHECKED = 64


@dataclass(frozen=True)
class SweepResult:
    """What a sweep found.

    Attributes:
        run: Its folder.
        found: What ``swept.json`` holds.
    """

    run: Run
    found: dict[str, Any]


def run_sweep(experiment: Experiment, folder: Path, options: RunOptions) -> SweepResult:
    """Do what of a sweep is not done yet, choose, and report what was chosen.

    Several processes may call it for one folder: each takes trials that nobody else has. Killed at any moment
    and called again, it continues with what the killed one had begun.

    Raises:
        FlextuneError: Anything a user can mend: keys, values, data, model, storage, another sweep in the
            folder.
    """
    space = make_space(experiment)
    execution = Execution(folder, options)
    ledger = Ledger(execution.run.sweep_folder)
    environment = execution.environment()
    with execution.run.shared() as alone:
        _make_room(space, execution, ledger, alone=alone)
        ledger.join(space.digest, environment["versions"] | {"commit": environment["commit"]}, alone=alone)
        _check(space, execution)
        # Two workers that make a database's tables at the same time fail.
        with FileLock(ledger.folder / "locks" / "storage"):
            search = make_search(space, execution.run)
        try:
            if alone:
                pending = not execution.run.swept_file.exists()
                execution.run.begin(experiment, execution.environment(), pending=pending)
            baseline, parts = _halves(space, execution, ledger)
            trying = Trying(execution, space, ledger, parts)
            try_all(trying, search)
        finally:
            search.close()
        return _finished(trying, baseline)


def _make_room(space: Space, execution: Execution, ledger: Ledger, *, alone: bool) -> None:
    """Forget another sweep or another experiment's results in the folder, where that was asked for.

    Raises:
        FlextuneError: The folder holds results of an experiment that would be lost.
    """
    run = execution.run
    if ledger.is_of(space.digest):
        return
    if not execution.options.replace:
        if not ledger.rows():
            check_replaces_nothing(space.experiment, run.folder)
    elif alone:
        ledger.forget()
        run.swept_file.unlink(missing_ok=True)


def make_search(space: Space, run: Run) -> Search:
    """The search that a sweep names.

    Raises:
        FlextuneError: Its storage cannot be used.
    """
    sweep, axes = space.sweep, space.axes
    lowest = sweep.objective == "eval_loss"
    if sweep.search == "bracket":
        start = {axis.key: float(own_value(space.experiment, axis.key)) for axis in axes}
        ratios = {axis.key: float(sweep.keys[axis.key]) for axis in axes}  # type: ignore[arg-type]
        return Bracket(start, ratios, sweep.most_trials, lowest)
    if sweep.search == "tpe":
        from flextune.search.tpe import Tpe

        run.sweep_folder.mkdir(parents=True, exist_ok=True)
        url = sweep.storage or f"sqlite:///{run.sweep_folder / 'optuna.db'}"
        return Tpe(
            url,
            space.experiment.name,
            space.digest,
            axes,
            seed=sweep.seed,
            lowest=lowest,
            trials=sweep.most_trials,
        )
    return Listed(configurations(space))


def configurations(space: Space) -> list[Settings]:
    """All of a blind search: those of a grid, or those that are drawn."""
    if space.sweep.search == "grid":
        return space.grid()
    return random_configurations(space.axes, space.sweep.most_trials, space.sweep.seed)


def _check(space: Space, execution: Execution) -> None:
    """Refuse what would fail in a trial, perhaps hours later.

    Raises:
        FlextuneError: As ``run_experiment``.
    """
    some = configurations(space) if space.sweep.search in ("grid", "random") else space.grid()[:CHECKED]
    trainings: dict[str, Training] = {}
    for settings in some:
        experiment = space.configured(settings, "trial", [space.sweep.seed])
        for training in execution.plan(experiment).trainings:
            trainings.setdefault(training.key, training)
    check_trainings([t for t in trainings.values() if not execution.run.trained(t.key).finished])
    own = space.experiment.train
    if space.sweep.objective == "eval_loss" and (own is None or own.validation_size == 0):
        raise FlextuneError("sweep.objective: eval_loss needs a training with train.validation_size above 0")


def _halves(space: Space, execution: Execution, ledger: Ledger) -> tuple[Score, Parts]:
    """The baseline on the deciding evaluation, and the halves that are stratified by it."""
    part = deciding(space.experiment)
    baseline = space.baseline().model_copy(update={"evaluate": [part]})
    plan = execution.plan(baseline)
    execution.check(plan)
    evaluate(execution, ledger, plan)
    (score,) = gather_scores(plan.evaluations, execution.run)
    with FileLock(ledger.folder / "locks" / "halves"):
        return score, split_by(score, part, space.sweep.seed, ledger.folder / "halves.json")


def _finished(trying: Trying, baseline: Score) -> SweepResult:
    """The result; of several workers the first makes it, and the others wait and read it."""
    run = trying.execution.run
    lock = FileLock(trying.ledger.folder / "locks" / "finish")
    first = lock.try_to_take()
    with lock:
        if not first and run.page.exists() and run.swept.get("trials") == trying.ledger.rows():
            return SweepResult(run, run.swept)
        found = finish(trying, baseline)
        write_report(run.folder)
        return SweepResult(run, found)
