"""From verdicts to scores.json: estimates per arm, and every arm against the baseline."""

from __future__ import annotations

from collections.abc import Iterable

from flextune.config import Experiment
from flextune.errors import FlextuneError
from flextune.files.whole import write_whole
from flextune.records import Comparison, Outcome, Score
from flextune.runner.plan import Evaluation
from flextune.runs.run import RunDirectory
from flextune.statistics.scores_file import scores_json
from flextune.statistics.summary import compare_all, estimate

Cell = tuple[str, str, str | None, str]


def score_run(
    name: str, baseline: str, evaluations: Iterable[Evaluation], run: RunDirectory
) -> tuple[list[Score], list[Comparison]]:
    """Read the verdicts of a finished run and write ``scores.json``.

    Its bytes depend on the outcomes alone: no time, no path, no order of arrival.

    Args:
        name: What was run.
        baseline: The arm that every other is compared with.
        evaluations: Whose verdicts count.
        run: Where they lie.

    Raises:
        FlextuneError: A sample has no verdict.
    """
    gathered: dict[tuple[str, Cell], Score] = {}
    for evaluation in evaluations:
        cell = _cell(evaluation)
        score = gathered.setdefault((evaluation.arm, cell), Score(evaluation.arm, *cell))
        seed = "-" if evaluation.seed is None else str(evaluation.seed)
        score.outcomes[seed] = _outcomes(run, evaluation)
        score.trainings[seed] = evaluation.training
        score.evaluations[seed] = evaluation.key
    found = [estimate(score) for score in gathered.values()]
    comparisons = compare_all(found, baseline)
    write_whole(run.scores_file, scores_json(name, baseline, found, comparisons))
    return found, comparisons


def baseline_arm(experiment: Experiment) -> str:
    """The arm that the others are compared with: the first without training, else the first."""
    arms = experiment.resolved_arms()
    return next((arm.name for arm in arms if arm.train is None), arms[0].name)


def _cell(evaluation: Evaluation) -> Cell:
    part = evaluation.part
    lexicon = part.lexicon if part.has_lexicons else None
    return part.benchmark, part.language, lexicon, evaluation.decode.label


def _outcomes(run: RunDirectory, evaluation: Evaluation) -> dict[str, list[Outcome]]:
    folder = run.evaluated(evaluation.key)
    verdicts = folder.all_verdicts()
    outcomes: dict[str, list[Outcome]] = {}
    for problem in evaluation.problems:
        for sample in range(evaluation.decode.samples):
            verdict = verdicts.get((problem.name, sample))
            if verdict is None:
                raise FlextuneError(f"{folder.verdicts_file}: no verdict for {problem.name} sample {sample}")
            outcomes.setdefault(problem.name, []).append(verdict.outcome)
    return outcomes
