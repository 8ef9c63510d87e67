"""From verdicts to scores.json: estimates per arm, and the comparisons that the experiment asks for."""

from __future__ import annotations

from collections.abc import Iterable

from flextune.config import Experiment
from flextune.errors import FlextuneError
from flextune.files.whole import write_whole
from flextune.records import Comparison, Outcome, Score
from flextune.runner.work import Evaluation
from flextune.runs.run import Run
from flextune.statistics.scores_file import scores_json
from flextune.statistics.summary import Contrast, compare_all, estimate
from flextune.statistics.tally import NO_SEED, Setting, setting


def score_run(
    experiment: Experiment, evaluations: Iterable[Evaluation], run: Run
) -> tuple[list[Score], list[Comparison]]:
    """Read the verdicts of a finished run and write ``scores.json``.

    Its bytes depend on the outcomes alone: no time, no path, no order of arrival.

    Args:
        experiment: What was run.
        evaluations: Whose verdicts count.
        run: Where they lie.

    Raises:
        FlextuneError: A sample has no verdict.
    """
    return write_scores(experiment, gather_scores(evaluations, run), run)


def gather_scores(evaluations: Iterable[Evaluation], run: Run) -> list[Score]:
    """The outcomes of evaluations, a score for each arm and setting, without estimates.

    Raises:
        FlextuneError: A sample has no verdict.
    """
    gathered: dict[tuple[str, Setting], Score] = {}
    for evaluation in evaluations:
        where = _setting(evaluation)
        score = gathered.setdefault((evaluation.arm, where), Score(evaluation.arm, *where))
        seed = NO_SEED if evaluation.seed is None else str(evaluation.seed)
        score.outcomes[seed] = _outcomes(run, evaluation)
        score.trainings[seed] = evaluation.generation.form.training
        score.generations[seed] = evaluation.generation.key
        score.judgings[seed] = evaluation.key
    return list(gathered.values())


def write_scores(
    experiment: Experiment, scores: Iterable[Score], run: Run
) -> tuple[list[Score], list[Comparison]]:
    """Estimate, compare, and write ``scores.json``."""
    estimated = [estimate(score) for score in scores]
    baseline = baseline_arm(experiment)
    chosen = contrasts(experiment, estimated)
    comparisons = compare_all(estimated, baseline, chosen, experiment.contrasts.margin / 100)
    write_whole(run.scores_file, scores_json(experiment.name, baseline, estimated, comparisons))
    return estimated, comparisons


def contrasts(experiment: Experiment, scores: Iterable[Score]) -> list[Contrast]:
    """What is compared in each setting: what the experiment names, then every other arm with the baseline.

    What it names is primary where it says so; all else is exploratory, unless it names nothing.
    """
    baseline, named = baseline_arm(experiment), experiment.contrasts
    arms = [arm.name for arm in experiment.given_arms()]
    against_baseline = [(arm, baseline) for arm in arms if arm != baseline]
    pairs = named.named_pairs(arms) if named.named else against_baseline
    known = {frozenset(pair) for pair in pairs}
    others = [pair for pair in against_baseline if frozenset(pair) not in known]
    chosen = []
    for where in dict.fromkeys(setting(score) for score in scores):
        primary = not named.where or any(place.fits(*where[:3]) for place in named.where)
        chosen += [Contrast(arm, other, where, primary) for arm, other in pairs]
        chosen += [Contrast(arm, other, where, primary=False) for arm, other in others]
    return chosen


def baseline_arm(experiment: Experiment) -> str:
    """The arm that the others are compared with: the first that is a base model itself, else the first."""
    arms = experiment.resolved_arms()
    bare = (arm.name for arm in arms if arm.train is None and arm.generate.adapter is None)
    return next(bare, arms[0].name)


def _setting(evaluation: Evaluation) -> Setting:
    part = evaluation.generation.part
    lexicon = part.own_lexicon
    return part.name, part.language, lexicon, evaluation.decoding


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
