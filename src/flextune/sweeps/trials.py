"""One configuration at work: trained once, judged on the choosing half, perhaps given up, noted."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from flextune.config import Experiment
from flextune.config.validation import SettingError
from flextune.errors import DivergedError
from flextune.records import UNKNOWN_OUTCOMES, Outcome, Score
from flextune.runner.execute import Execution
from flextune.runner.plan import Plan
from flextune.runner.score import gather_scores
from flextune.runner.work import Evaluation, Training
from flextune.search.base import Trial
from flextune.sweeps.ledger import Ledger
from flextune.sweeps.parts import Parts
from flextune.sweeps.space import Space

#: Of trials at the same part, so many must be there before one is given up.
BEFORE_PRUNING = 4


@dataclass(frozen=True)
class Trying:
    """What it takes to try a configuration.

    Attributes:
        execution: Trains, generates and judges.
        space: What a configuration is.
        ledger: Notes what comes out.
        parts: Of the deciding evaluation.
    """

    execution: Execution
    space: Space
    ledger: Ledger
    parts: Parts

    def run(self, trial: Trial) -> None:
        """Try a configuration and note how it ended; what is there already is not done again."""
        sweep = self.space.sweep
        try:
            experiment = self.experiment(trial)
        except SettingError as error:
            self.ledger.note(trial.number, state="failed", reason=str(error))
            return
        started = time.monotonic()
        (training, *_) = [*self.execution.plan(experiment).trainings, None]
        try:
            if training is not None:
                train(self.execution, self.ledger, training)
        except DivergedError as error:
            self.ledger.note(trial.number, state="failed", reason=str(error), training=training.key)
            return
        trained = time.monotonic()
        self.ledger.note(
            trial.number,
            training=training.key if training is not None else None,
            seconds={"train": round(trained - started, 2)},
        )
        if sweep.objective == "eval_loss":
            loss = self._loss(training)
            state = "done" if math.isfinite(loss) else "failed"
            self.ledger.note(trial.number, state=state, value=loss)
            return
        rungs: list[float] = []
        done: list[Evaluation] = []
        for names in self.parts.choosing(pruned=sweep.prune):
            plan = self.execution.plan(experiment, self.parts.only(names))
            evaluate(self.execution, self.ledger, plan)
            done += plan.evaluations
            rungs.append(pass_rate(gather_scores([evaluation], self.execution.run) for evaluation in done))
            self._note_evaluations(trial, done, rungs, started, trained)
            if sweep.prune and self._is_below(trial.number, rungs):
                self.ledger.note(trial.number, state="pruned", value=rungs[-1])
                return
        if sweep.judges_all:
            plan = self.execution.plan(experiment, self.parts.only(self.parts.halves.reporting))
            evaluate(self.execution, self.ledger, plan)
            done += plan.evaluations
            self._note_evaluations(trial, done, rungs, started, trained)
        self.ledger.note(trial.number, state="done", value=rungs[-1])

    def experiment(self, trial: Trial) -> Experiment:
        """The configuration, with the sweep's seed and the deciding evaluation alone.

        Raises:
            SettingError: The keys do not allow the values.
        """
        configured = self.space.configured(trial.settings, f"trial-{trial.number}", [self.space.sweep.seed])
        return configured.model_copy(update={"evaluate": [self.parts.deciding]})

    def score(self, trial: Trial, names: Iterable[frozenset[str]]) -> Score:
        """The outcomes of a trial on some parts of the problems, as one score of the trial's own name."""
        experiment = self.experiment(trial)
        found: dict[str, dict[str, list[Outcome]]] = {}
        trainings: dict[str, str | None] = {}
        first: Score | None = None
        for part in names:
            plan = self.execution.plan(experiment, self.parts.only(part))
            (score,) = gather_scores(plan.evaluations, self.execution.run)
            first = first or score
            for seed, outcomes in score.outcomes.items():
                found.setdefault(seed, {}).update(outcomes)
                trainings[seed] = score.trainings[seed]
        assert first is not None
        return replace(first, arm=str(trial.number), outcomes=found, trainings=trainings)

    def _note_evaluations(
        self, trial: Trial, done: list[Evaluation], rungs: list[float], started: float, trained: float
    ) -> None:
        self.ledger.note(
            trial.number,
            rungs=rungs,
            generations=[evaluation.generation.key for evaluation in done],
            judgings=[evaluation.key for evaluation in done],
            seconds={
                "train": round(trained - started, 2),
                "evaluate": round(time.monotonic() - trained, 2),
            },
        )

    def _loss(self, training: Training | None) -> float:
        if training is None:
            return math.inf
        return self.execution.run.trained(training.key).validation_loss()

    def _is_below(self, number: int, rungs: list[float]) -> bool:
        """Whether others did better at the same part: more than half of them."""
        place = len(rungs) - 1
        others = [
            row["rungs"][place]
            for row in self.ledger.rows()
            if row["number"] != number and len(row.get("rungs", ())) > place
        ]
        return len(others) >= BEFORE_PRUNING and rungs[-1] < statistics.median(others)


def train(execution: Execution, ledger: Ledger, training: Training) -> None:
    """Train an adapter once, whichever workers want it.

    Raises:
        DivergedError: It did, now or before.
    """
    with ledger.keyed(training.key):
        trained = execution.run.trained(training.key)
        if trained.diverged:
            raise DivergedError(f"the training diverged: {trained.folder}")
        try:
            execution.train(training)
        except DivergedError as error:
            trained.note_divergence(str(error))
            raise


def evaluate(execution: Execution, ledger: Ledger, plan: Plan) -> None:
    """Generate and judge what is missing, each once, whichever workers want it."""
    keys = [key for e in plan.evaluations for key in (e.generation.key, e.key)]
    if execution.options.executor is None:
        for training in plan.trainings:
            train(execution, ledger, training)
    else:
        # There each evaluation begins when its own adapter is there. Finished ones are shared.
        keys += [t.key for t in plan.trainings if not execution.run.trained(t.key).finished]
    with ledger.keyed(*keys):
        execution.evaluate(plan)


def pass_rate(scores: Iterable[list[Score]]) -> float:
    """Mean over problems of the share of known outcomes that passed; 0 where none is known."""
    rates = []
    for gathered in scores:
        for score in gathered:
            for outcomes in score.outcomes.values():
                for found in outcomes.values():
                    known = [outcome for outcome in found if outcome not in UNKNOWN_OUTCOMES]
                    if known:
                        rates.append(known.count("passed") / len(known))
    return sum(rates) / len(rates) if rates else 0.0
