"""Match arms before their seeds: a search for the setting at which their update has another arm's norm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flextune.config import ArmConfig, Experiment, MatchConfig, matched_setting, merged, nested
from flextune.config.validation import SettingError
from flextune.errors import DivergedError
from flextune.files.objects import write_object
from flextune.progress import Reporter
from flextune.runner.trials import NotTrained, SearchState, only_look_up, trial
from flextune.runner.work import Training
from flextune.runs.run import Run
from flextune.search.secant import next_value

Plan = Callable[[Experiment], list[Training]]


@dataclass
class Search:
    """The search for one arm.

    Attributes:
        arm: As written.
        key: The setting that is searched.
        target: The norm to reach.
        norms: Norm of the update at each value that was tried.
    """

    arm: ArmConfig
    key: str
    target: float
    norms: dict[float, float] = field(default_factory=dict)

    @property
    def best(self) -> float:
        """The value whose norm is nearest to the target."""
        return min(self.norms, key=lambda value: abs(self.norms[value] - self.target))

    @property
    def difference(self) -> float:
        """Of the best norm from the target, as a share of it."""
        return abs(self.norms[self.best] / self.target - 1)

    def arm_at(self, value: float) -> ArmConfig:
        """The arm with a value of the setting, and nothing to match."""
        return self.arm.with_settings(merged(self.arm.settings, nested({self.key: value})))

    def row(self, tolerance: float) -> dict[str, Any]:
        """What was found, as JSON."""
        return {
            "setting": self.key,
            "value": self.best,
            "norm": self.norms[self.best],
            "within": self.difference <= tolerance,
            "trials": [{"value": value, "norm": norm} for value, norm in self.norms.items()],
        }


def match(
    experiment: Experiment,
    run: Run,
    *,
    plan: Plan,
    train: Callable[[Training], None],
    reporter: Reporter,
) -> Experiment:
    """The experiment with every matched arm at the value found, and with nothing left to match.

    What was trained before is not trained again, so a killed search continues where it was. Writes
    ``matched.json``. An arm whose best norm is still outside of the tolerance is told of and keeps its best.

    Args:
        experiment: With a ``match`` section, or it comes back as it is.
        run: Receives the trainings.
        plan: The trainings of an experiment.
        train: Does one; may raise ``DivergedError``.
        reporter: Told of an arm without a match.
    """
    section = experiment.match
    if section is None:
        return experiment

    def norm(arm: ArmConfig) -> float:
        return _norm(trial(arm, experiment, section.seed), run, plan, train)

    arms = {arm.name: arm for arm in experiment.given_arms()}
    target = norm(arms[section.arm])
    searches = {
        search.arm.name: _searched(search, start, section, norm)
        for search, start in _searches(experiment, target)
    }
    for name, search in searches.items():
        if search.difference > section.tolerance:
            reporter.note(
                f"match: arm {name}: the norm nearest to {target:.4g} is {search.norms[search.best]:.4g}, at"
                f" {search.key} {search.best:g} (tried: {len(search.norms)})"
            )
    rows = {name: search.row(section.tolerance) for name, search in searches.items()}
    found = {"arm": section.arm, "norm": target, "seed": section.seed, "arms": rows}
    write_object(run.matched_file, found)
    return _with_matches(experiment, searches)


def matching_state(experiment: Experiment, run: Run, *, plan: Plan) -> SearchState:
    """How far the matching of an experiment is in a run; nothing is trained or written.

    Args:
        experiment: With a ``match`` section, and nothing left to tune.
        run: May hold trainings.
        plan: The trainings of an experiment.
    """
    assert experiment.match is not None
    section = experiment.match
    train = only_look_up(run)

    def norm(arm: ArmConfig) -> float:
        return _norm(trial(arm, experiment, section.seed), run, plan, train)

    searches = {search.arm.name: (search, start) for search, start in _searches(experiment, 1.0)}
    most = 1 + section.trainings * len(searches)
    done, finished = 0, True
    try:
        (reference,) = [arm for arm in experiment.given_arms() if arm.name == section.arm]
        target = norm(reference)
        done = 1
    except (NotTrained, DivergedError):
        return SearchState(done, most, None)
    for search, start in searches.values():
        search.target = target
        try:
            _searched(search, start, section, norm)
        except (NotTrained, DivergedError):
            finished = False
        done += len(search.norms)
    if not finished:
        return SearchState(done, most, None)
    found = {name: search for name, (search, _) in searches.items()}
    return SearchState(done, done, _with_matches(experiment, found))


def _searches(experiment: Experiment, target: float) -> Iterator[tuple[Search, float]]:
    """The search for each arm that is matched, and where it begins."""
    for arm, resolved in zip(experiment.given_arms(), experiment.resolved_arms(), strict=True):
        start = matched_setting(experiment.match, arm, resolved)
        if arm.match is not None and start is not None:
            yield Search(arm, arm.match, target), start


def _with_matches(experiment: Experiment, searches: Mapping[str, Search]) -> Experiment:
    arms = [
        searches[arm.name].arm_at(searches[arm.name].best) if arm.name in searches else arm
        for arm in experiment.given_arms()
    ]
    return experiment.model_copy(update={"arms": arms, "match": None})


def _searched(
    search: Search, start: float, section: MatchConfig, norm: Callable[[ArmConfig], float]
) -> Search:
    # What is generated with is a multiple of the update, or nearly one.
    slope = 1.0 if search.key in ("generate.scale", "generate.spectral_norm") else -0.5
    value: float | None = start
    while value is not None and value not in search.norms and len(search.norms) < section.trainings:
        try:
            search.norms[value] = norm(search.arm_at(value))
        # A value outside of what the key allows: nothing lies there.
        except SettingError:
            break
        if search.difference <= section.tolerance:
            break
        value = next_value(search.norms, search.target, first_slope=slope)
        value = None if value is None else float(f"{value:.4g}")
    return search


def _norm(experiment: Experiment, run: Run, plan: Plan, train: Callable[[Training], None]) -> float:
    """The norm of the update that an experiment's one arm answers with.

    Raises:
        FlextuneError: The training diverged, or its adapter has no update.
    """
    from flextune.audit.norms import update_norm

    (training,), (arm,) = plan(experiment), experiment.resolved_arms()
    trained = run.trained(training.key)
    try:
        train(training)
    except DivergedError as error:
        raise DivergedError(f"match: {training.label}: {error}") from None
    norm = arm.generate.scale * update_norm(trained.adapter, arm.generate.spectral_norm)
    if not norm > 0:
        raise DivergedError(f"match: {training.label}: its update is 0, which no other can be matched with")
    return norm
