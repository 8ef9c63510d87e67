"""Tune each arm before its seeds: a search on equal budgets, every trial a training like any other."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flextune.config import ArmConfig, Experiment, merged, nested, tuned_settings, value_of
from flextune.config.validation import SettingError
from flextune.errors import DivergedError
from flextune.files.objects import write_object
from flextune.runner.trials import NotTrained, SearchState, only_look_up, trial
from flextune.runner.work import Training
from flextune.runs.run import Run
from flextune.search.bracket import Bracket, Point, best_point, interior, next_point

#: Trainings that every arm gets more while one's best is at an edge.
_MORE = 2


@dataclass
class Search:
    """The search for one arm.

    Attributes:
        arm: As written.
        bracket: What is tuned, and by what it moves.
        losses: What was tried.
        trainings: The key of each trial's training; None where the key does not allow the value.
    """

    arm: ArmConfig
    bracket: Bracket
    losses: dict[Point, float] = field(default_factory=dict)
    trainings: dict[Point, str | None] = field(default_factory=dict)

    def settings(self, point: Point) -> dict[str, float]:
        """The values at a point."""
        return self.bracket.settings(point)

    def best(self) -> ArmConfig:
        """The arm with the best values."""
        return self.arm_at(best_point(self.losses))

    def arm_at(self, point: Point) -> ArmConfig:
        """The arm with the values at a point, and nothing to tune."""
        return self.arm.with_settings(merged(self.arm.settings, nested(self.settings(point))))

    def row(self) -> dict[str, Any]:
        """What was found, as JSON; a loss of null: it diverged."""
        trials = [
            {
                "settings": self.settings(point),
                "eval_loss": None if math.isinf(loss) else loss,
                "training": self.trainings[point],
            }
            for point, loss in self.losses.items()
        ]
        return {
            "settings": self.settings(best_point(self.losses)),
            "interior": interior(self.losses),
            "trials": trials,
        }


def tune(
    experiment: Experiment,
    run: Run,
    *,
    plan: Callable[[Experiment], list[Training]],
    train: Callable[[Training], None],
) -> Experiment:
    """The experiment with every arm at the best values found, and with nothing left to tune.

    What was trained before is not trained again, so a killed search continues where it was. Writes
    ``tuned.json``.

    Args:
        experiment: With a ``tune`` section, or it comes back as it is.
        run: Receives the trainings.
        plan: The trainings of an experiment.
        train: Does one; may raise ``DivergedError``.
    """
    if experiment.tune is None:
        return experiment
    searches = _searches(experiment)
    budget, _ = _search(searches, experiment, run, plan, train)
    rows = {search.arm.name: search.row() for search in searches}
    write_object(run.tuned_file, {"trainings": budget, "seed": experiment.tune.seed, "arms": rows})
    return _with_best(experiment, searches)


def tuning_state(
    experiment: Experiment, run: Run, *, plan: Callable[[Experiment], list[Training]]
) -> SearchState:
    """How far the tuning of an experiment is in a run; nothing is trained or written.

    Args:
        experiment: With a ``tune`` section.
        run: May hold trainings.
        plan: As for ``tune``.
    """
    assert experiment.tune is not None
    searches = _searches(experiment)
    _, finished = _search(searches, experiment, run, plan, only_look_up(run))
    done = sum(len(search.losses) for search in searches)
    if finished:
        return SearchState(done, done, _with_best(experiment, searches))
    return SearchState(done, experiment.tune.most * len(searches), None)


def _search(
    searches: list[Search],
    experiment: Experiment,
    run: Run,
    plan: Callable[[Experiment], list[Training]],
    train: Callable[[Training], None],
) -> tuple[int, bool]:
    """Fill every search; the trainings of each, and whether all were to be had."""
    assert experiment.tune is not None
    budget, most = experiment.tune.trainings, experiment.tune.most
    while True:
        finished = True
        for search in searches:
            try:
                _fill(search, budget, experiment, run, plan, train)
            except NotTrained:
                finished = False
        if not finished or budget >= most or all(interior(search.losses) for search in searches):
            return budget, finished
        budget = min(budget + _MORE, most)


def _fill(
    search: Search,
    budget: int,
    experiment: Experiment,
    run: Run,
    plan: Callable[[Experiment], list[Training]],
    train: Callable[[Training], None],
) -> None:
    while len(search.losses) < budget:
        point = next_point(search.losses, len(search.bracket.start))
        if point is None:
            return
        _try(search, point, experiment, run, plan, train)


def _with_best(experiment: Experiment, searches: list[Search]) -> Experiment:
    best = {search.arm.name: search.best() for search in searches}
    arms = [best.get(arm.name, arm) for arm in experiment.given_arms()]
    return experiment.model_copy(update={"arms": arms, "tune": None})


def _searches(experiment: Experiment) -> list[Search]:
    searches = []
    assert experiment.tune is not None
    for arm, resolved in zip(experiment.given_arms(), experiment.resolved_arms(), strict=True):
        if ratios := tuned_settings(experiment.tune, arm, resolved):
            start = {key: value_of(resolved, key) for key in ratios}
            searches.append(Search(arm, Bracket(start, ratios, experiment.tune.most)))
    return searches


def _try(
    search: Search,
    point: Point,
    experiment: Experiment,
    run: Run,
    plan: Callable[[Experiment], list[Training]],
    train: Callable[[Training], None],
) -> None:
    section = experiment.tune
    assert section is not None
    try:
        (training,) = plan(trial(search.arm_at(point), experiment, section.seed, section.validation_size))
    # A value outside of what the key allows: nothing lies there.
    except SettingError:
        search.losses[point], search.trainings[point] = math.inf, None
        return
    trained = run.trained(training.key)
    if not trained.diverged:
        try:
            train(training)
        except DivergedError as error:
            trained.note_divergence(str(error))
    search.losses[point] = trained.validation_loss()
    search.trainings[point] = training.key
