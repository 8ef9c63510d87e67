"""What a sweep would do, before it does any of it, and how long that may take."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flextune.config import Experiment
from flextune.config.validation import SettingError
from flextune.runner.execute import Execution, RunOptions
from flextune.search.base import combinations
from flextune.statistics.power import Power, power
from flextune.statistics.simulation import Design
from flextune.sweeps.ledger import Ledger
from flextune.sweeps.space import Space, deciding, make_space
from flextune.sweeps.sweep import configurations

#: What is assumed of a baseline that was not run, and how trainings differ.
EXPECTED_RATE, EXPECTED_SEED_SPREAD = 0.3, 0.03
REPEATS = 100


@dataclass(frozen=True, slots=True)
class SweepOutline:
    """Everything that a sweep would do.

    Attributes:
        folder: Of the run.
        search: Its name.
        configurations: To try, at most where a search proposes its own.
        ended: Of them, done, given up or failed.
        trainings: Adapters to train for them, at most.
        trained: Of them, there already; only of a grid or of drawn configurations is this known.
        programs: Programs to judge for them, at most.
        final_trainings: Of what is chosen, with the experiment's seeds.
        final_programs: Of what is chosen and of the baseline.
        seconds: That the rest may take on one worker, from the trials that ended; None before the first.
        halves: Problems to choose by and to report on.
        power: What the report can show.
    """

    folder: Path
    search: str
    configurations: int
    ended: int
    trainings: int
    trained: int
    programs: int
    final_trainings: int
    final_programs: int
    seconds: float | None
    halves: tuple[int, int]
    power: Power


def sweep_outline(experiment: Experiment, folder: Path, options: RunOptions) -> SweepOutline:
    """Read the data, compute the keys, look at what is there; nothing is run or written.

    Raises:
        FlextuneError: As ``run_sweep``, for keys, values, data and models' names.
    """
    space = make_space(experiment)
    execution = Execution(folder, options)
    rows = Ledger(execution.run.sweep_folder).rows()
    ended = [row for row in rows if row["state"] != "running"]
    part = deciding(experiment)
    (first, *_) = execution.plan(space.baseline().model_copy(update={"evaluate": [part]})).evaluations
    problems = len(first.generation.problems)
    choosing = -(-problems // 2)
    posed = problems if space.sweep.judges_all else choosing
    judged = space.sweep.objective == "pass@1"
    blind = space.sweep.search in ("grid", "random")
    tried = configurations(space) if blind else list(combinations(space.axes))[:1]
    total = len(tried) if blind else space.sweep.most_trials
    keys: set[str] = set()
    samples = []
    for settings in tried:
        try:
            configured = space.configured(settings, "trial", [space.sweep.seed])
        except SettingError:
            continue
        keys |= {training.key for training in execution.plan(configured).trainings}
        samples.append(configured.decode[0].n)
    each = statistics.mean(samples) if samples else 1
    seeds = len(experiment.seeds)
    trains = bool(keys)
    return SweepOutline(
        folder=folder,
        search=space.sweep.search,
        configurations=total,
        ended=len(ended),
        trainings=len(keys) if blind else total * trains,
        trained=sum(execution.run.trained(key).finished for key in keys),
        programs=round(total * each * posed) if judged else 0,
        final_trainings=seeds * trains,
        final_programs=round(problems + (problems - choosing) * each * (seeds if trains else 1)),
        seconds=_seconds(ended, total),
        halves=(choosing, problems - choosing),
        power=_power(space, problems - choosing, seeds if trains else 0),
    )


def _seconds(ended: list[dict[str, Any]], total: int) -> float | None:
    """The rest at the mean pace of the trials that ended."""
    spent = [sum(row["seconds"].values()) for row in ended if row.get("seconds")]
    return statistics.mean(spent) * (total - len(ended)) if spent else None


def _power(space: Space, problems: int, seeds: int) -> Power:
    trained_baseline = space.baseline().train is not None
    design = Design(
        problems=max(problems, 2),
        seeds=seeds,
        baseline="as many" if trained_baseline and seeds else "once",
        rate=EXPECTED_RATE,
        seed_spread=EXPECTED_SEED_SPREAD if seeds else 0.0,
    )
    return power(design, repeats=REPEATS)
