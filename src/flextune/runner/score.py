"""From verdicts to scores.json: estimates per arm, and every arm against the baseline."""

from __future__ import annotations

from collections.abc import Iterable

from flextune.config import Experiment
from flextune.errors import FlextuneError
from flextune.files.whole import write_whole
from flextune.records import Comparison, Outcome, Score
from flextune.runner.plan import Evaluation
from flextune.runs.run import Run
from flextune.statistics.scores_file import scores_json
from flextune.statistics.summary import Setting, compare_all, estimate


def score_run(
    name: str, baseline: str, evaluations: Iterable[Evaluation], run: Run
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
    return write_scores(name, baseline, gather_scores(evaluations, run), run)


def gather_scores(evaluations: Iterable[Evaluation], run: Run) -> list[Score]:
    """The outcomes of evaluations, a score for each arm and setting, without estimates.

    Raises:
        FlextuneError: A sample has no verdict.
    """
    gathered: dict[tuple[str, Setting], Score] = {}
    for evaluation in evaluations:
        where = _setting(evaluation)
        score = gathered.setdefault((evaluation.arm, where), Score(evaluation.arm, *where))
        seed = "-" if evaluation.seed is None else str(evaluation.seed)
        score.outcomes[seed] = _outcomes(run, evaluation)
        score.trainings[seed] = evaluation.generation.form.training
        score.generations[seed] = evaluation.generation.key
        score.judgings[seed] = evaluation.key
    return list(gathered.values())


def write_scores(
    name: str, baseline: str, scores: Iterable[Score], run: Run
) -> tuple[list[Score], list[Comparison]]:
    """Estimate, compare with the baseline, and write ``scores.json``."""
    estimated = [estimate(score) for score in scores]
    comparisons = compare_all(estimated, baseline)
    write_whole(run.scores_file, scores_json(name, baseline, estimated, comparisons))
    return estimated, comparisons


def baseline_arm(experiment: Experiment) -> str:
    """The arm that the others are compared with: the first that is a base model itself, else the first."""
    arms = experiment.resolved_arms()
    bare = (arm.name for arm in arms if arm.train is None and arm.generate.adapter is None)
    return next(bare, arms[0].name)


def _setting(evaluation: Evaluation) -> Setting:
    part = evaluation.generation.part
    lexicon = part.lexicon if part.benchmark == "rosetta" else None
    return part.benchmark, part.language, lexicon, evaluation.generation.decode.label


def _outcomes(run: Run, evaluation: Evaluation) -> dict[str, list[Outcome]]:
    judged = run.judged(evaluation.key)
    verdicts = judged.verdicts()
    outcomes: dict[str, list[Outcome]] = {}
    for problem in evaluation.generation.problems:
        for sample in range(evaluation.generation.decode.n):
            verdict = verdicts.get((problem.name, sample))
            if verdict is None:
                raise FlextuneError(f"{judged.verdicts_file}: no verdict for {problem.name} sample {sample}")
            outcomes.setdefault(problem.name, []).append(verdict.outcome)
    return outcomes
