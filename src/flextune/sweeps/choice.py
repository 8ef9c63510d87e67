"""What a sweep ends with: the chosen configuration, trained with the experiment's seeds, and its worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from flextune.config import Experiment, dump_experiment, make_experiment
from flextune.errors import FlextuneError
from flextune.files.objects import write_object
from flextune.files.whole import write_whole
from flextune.records import Score, as_row
from flextune.runner.score import gather_scores, write_scores
from flextune.search.base import Trial
from flextune.statistics.selection.crossfit import cross_fit
from flextune.statistics.selection.field import Field, restricted
from flextune.statistics.selection.max_t import max_t
from flextune.sweeps.space import BASELINE, CHOSEN, NOT_VARIED, Space, deciding
from flextune.sweeps.trials import Trying, evaluate

#: What stands for the decoding of baseline and configurations where they decode differently.
AS_CONFIGURED = "as configured"


def finish(trying: Trying, baseline: Score) -> dict[str, Any]:
    """Choose, train and judge what was chosen, compare, and write what was found.

    That is ``swept.json``, ``scores.json`` and ``chosen.yaml``.

    Args:
        trying: A sweep of which every trial has ended.
        baseline: On the deciding evaluation, all problems.

    Raises:
        FlextuneError: No trial could be done.
    """
    space, run = trying.space, trying.execution.run
    trials = trying.ledger.trials()
    best = choose(trials, lowest=space.sweep.objective == "eval_loss")
    final = chosen_experiment(space, best)
    plan = trying.execution.plan(final, trying.parts.reported)
    evaluate(trying.execution, trying.ledger, plan)
    scores = gather_scores(plan.evaluations, run)
    if len({score.decoding for score in scores}) > 1:
        scores = [replace(score, decoding=AS_CONFIGURED) for score in scores]
    _, comparisons = write_scores(final, scores, run)
    honest = next(c for c in comparisons if c.primary and c.arm == CHOSEN)
    found = {
        "search": space.sweep.search,
        "objective": space.sweep.objective,
        "seed": space.sweep.seed,
        "evaluation": trying.parts.deciding.label,
        "halves": [len(trying.parts.halves.choosing), len(trying.parts.halves.reporting)],
        "chosen": {"number": best.number, "settings": best.settings},
        "honest": as_row(honest),
        "trials": trying.ledger.rows(),
        **_over_all(trying, trials, baseline),
    }
    write_whole(run.folder / "chosen.yaml", dump_experiment(final))
    write_object(run.swept_file, found)
    return found


def choose(trials: Sequence[Trial], *, lowest: bool) -> Trial:
    """The best of the trials that were done; of equals the first.

    Raises:
        FlextuneError: None was.
    """
    done = [trial for trial in trials if trial.state == "done" and trial.value is not None]
    if not done:
        raise FlextuneError(
            f"sweep: none of {len(trials)} configurations could be done; the reasons are in the run's folder"
            " sweep/trials/"
        )
    sign = 1 if lowest else -1
    return min(done, key=lambda trial: (sign * (trial.value or 0.0), trial.number))


def chosen_experiment(space: Space, trial: Trial) -> Experiment:
    """An ordinary experiment: the baseline and what was chosen, with the experiment's seeds."""
    own = space.experiment
    raw = own.model_dump(mode="json", exclude_unset=True, exclude={"sweep", "arms", "tune", "match"})
    arms = [
        {"name": BASELINE, **_arm(own, space.baseline())},
        {"name": CHOSEN, **_arm(own, space.configured(trial.settings, CHOSEN, own.seeds))},
    ]
    decides = deciding(space.experiment).place
    contrasts = {"reference": BASELINE, "where": [decides], "margin": own.contrasts.margin}
    return make_experiment({**raw, "name": f"{own.name}-chosen", "arms": arms, "contrasts": contrasts})


def _arm(own: Experiment, arm: Experiment) -> dict[str, Any]:
    """The keys in which an arm differs from the experiment."""
    ours, theirs = own.model_dump(mode="json"), arm.model_dump(mode="json")
    return {key: theirs[key] for key in theirs if key not in NOT_VARIED and ours[key] != theirs[key]}


def _over_all(trying: Trying, trials: Sequence[Trial], baseline: Score) -> dict[str, Any]:
    """What all configurations on both halves say; naive best alone where they were judged on one half."""
    if trying.space.sweep.objective != "pass@1":
        return {}
    halves = trying.parts.halves
    done = [trial for trial in trials if trial.state == "done"]
    everywhere = trying.space.sweep.judges_all
    choosing = trying.parts.choosing(pruned=trying.space.sweep.prune)
    parts = [*choosing, halves.reporting] if everywhere else choosing
    seen = frozenset().union(*parts)
    scores = [replace(trying.score(trial, parts), decoding=AS_CONFIGURED) for trial in done]
    against = replace(restricted(baseline, seen), decoding=AS_CONFIGURED)
    field = Field.of(scores, against)
    naive = field.best()
    found: dict[str, Any] = {
        "naive": {
            "number": int(field.configurations[naive].arm),
            "rate": float(field.rates[naive].mean()),
            "baseline_rate": float(field.baseline_rates.mean()),
            "problems": len(field.problems),
            "scores": [float(row.mean()) for row in field.rates],
            "numbers": [int(score.arm) for score in field.configurations],
        },
        "left_out": [int(arm) for arm in field.left_out],
    }
    # With one configuration nothing was chosen.
    if everywhere and len(field.configurations) > 1:
        tested = max_t(field, np.random.default_rng(trying.space.sweep.seed))
        found |= {"cross_fit": as_row(cross_fit(field, trying.space.sweep.seed)), "max_t": as_row(tested)}
    return found
