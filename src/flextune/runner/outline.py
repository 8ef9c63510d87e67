"""What a run would do, before it does any of it, and what it could then tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flextune.config import Experiment
from flextune.records import Score
from flextune.runner.baseline import baseline_note, with_base_arm
from flextune.runner.checks import check_purpose
from flextune.runner.estimate import Memory, estimated_seconds, memory
from flextune.runner.execute import Execution, RunOptions
from flextune.runner.matching import matching_state
from flextune.runner.plan import Plan
from flextune.runner.replacing import check_replaces_nothing
from flextune.runner.score import contrasts
from flextune.runner.tuning import tuning_state
from flextune.runner.work import Evaluation, Training
from flextune.runs.run import Run
from flextune.statistics.power import Power, power
from flextune.statistics.simulation import Baseline, Design

#: What is assumed of a comparison that has not been run: the baseline's pass rate, and how trainings differ.
EXPECTED_RATE, EXPECTED_SEED_SPREAD = 0.3, 0.03
#: Experiments drawn for each difference: a plan is read in seconds.
REPEATS = 100


@dataclass(frozen=True, slots=True)
class Work:
    """The trainings of an arm, or its evaluations on one benchmark, over all seeds.

    Attributes:
        label: The arm, and what is evaluated.
        total: Trainings, or programs.
        done: Of them, what the run's folder holds already: trained, or judged.
        generated: Answers that are there; of a training 0.
    """

    label: str
    total: int
    done: int
    generated: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """A comparison that the run will make, and what it can tell.

    Attributes:
        pairs: ``fourier − lora``, ...: comparisons of the same design.
        where: What they are compared on.
        power: What such a comparison shows.
    """

    pairs: tuple[str, ...]
    where: tuple[str, ...]
    power: Power


@dataclass(frozen=True, slots=True)
class Outline:
    """Everything that a run would do.

    Attributes:
        folder: Of the run.
        trainings: In their order.
        evaluations: In their order.
        searches: ``tune`` and ``match`` to the trainings that they have and may take at most, for all arms.
        questions: What is compared, a line for each design.
        memory: Of each base model.
        seconds: That the work which is not done takes here, roughly.
        note: What should be known about the baseline; may be empty.
    """

    folder: Path
    trainings: tuple[Work, ...]
    evaluations: tuple[Work, ...]
    searches: dict[str, Work]
    questions: tuple[Question, ...]
    memory: tuple[Memory, ...]
    seconds: float
    note: str


def outline(experiment: Experiment, folder: Path, options: RunOptions) -> Outline:
    """Read the data, compute the keys, look at what is there; nothing is run or written.

    Raises:
        FlextuneError: As ``run_experiment``, for the data and the models' names.
    """
    check_purpose(experiment)
    experiment = with_base_arm(experiment)
    execution = Execution(folder, options)
    run = execution.run
    if not options.replace:
        check_replaces_nothing(experiment, folder)
    searches, settled = _searches(experiment, execution)
    plan = execution.plan(settled)
    # A server has the memory of what it serves.
    here = [e.generation.form.model for e in plan.evaluations if e.generation.form.served is None]
    here += [training.model for training in plan.trainings]
    needed = tuple(memory(model) for model in dict.fromkeys(here))
    return Outline(
        folder,
        tuple(_together(Work(_arm(t), 1, int(run.trained(t.key).finished)) for t in plan.trainings)),
        tuple(_together(_evaluation(evaluation, run) for evaluation in plan.evaluations)),
        searches,
        tuple(_questions(experiment, plan)),
        needed,
        _seconds(plan, needed, searches, run, options),
        baseline_note(experiment),
    )


def _searches(experiment: Experiment, execution: Execution) -> tuple[dict[str, Work], Experiment]:
    """What is searched, and the experiment with what was found by the searches that are finished."""

    def plan(variant: Experiment) -> list[Training]:
        return execution.plan(variant).trainings

    found: dict[str, Work] = {}
    if experiment.tune is not None:
        state = tuning_state(experiment, execution.run, plan=plan)
        found["tune"] = Work("tune", state.most, state.done)
        experiment = state.result or experiment
    if experiment.match is not None:
        state = matching_state(experiment, execution.run, plan=plan)
        found["match"] = Work("match", state.most, state.done)
        experiment = state.result or experiment
    return found, experiment.model_copy(update={"tune": None, "match": None})


def _seconds(
    plan: Plan, needed: Sequence[Memory], searches: dict[str, Work], run: Run, options: RunOptions
) -> float:
    trainings = [training for training in plan.trainings if not run.trained(training.key).finished]
    evaluations = [e for e in plan.evaluations if e.unjudged(run)]
    parameters = {one.model: one.parameters for one in needed}
    # A search trains what its arms train, with other settings.
    more = sum(work.total - work.done for work in searches.values())
    pool = trainings or plan.trainings
    searched = [pool[number % len(pool)] for number in range(more)] if pool else []
    return estimated_seconds([*trainings, *searched], evaluations, parameters, run, options.workers)


def _together(parts: Iterable[Work]) -> Iterator[Work]:
    """One line for all seeds of an arm."""
    sums: dict[str, Work] = {}
    for part in parts:
        before = sums.get(part.label, Work(part.label, 0, 0))
        sums[part.label] = Work(
            part.label,
            before.total + part.total,
            before.done + part.done,
            before.generated + part.generated,
        )
    yield from sums.values()


def _arm(training: Training) -> str:
    return training.label.removesuffix(f" seed {training.recipe.seed}")


def _evaluation(evaluation: Evaluation, run: Run) -> Work:
    generation = evaluation.generation
    several = "" if evaluation.decoding == "greedy" else f" {evaluation.decoding}"
    return Work(
        f"{evaluation.arm} {generation.part.label}{several}",
        generation.total,
        generation.total - evaluation.unjudged(run),
        generation.total - generation.unanswered(run),
    )


def _questions(experiment: Experiment, plan: Plan) -> Iterator[Question]:
    """The primary comparisons, those of one design together."""
    by_place: dict[tuple[str, str], list[Evaluation]] = {}
    for evaluation in plan.evaluations:
        where = f"{evaluation.generation.part.label} {evaluation.decoding}"
        by_place.setdefault((where, evaluation.arm), []).append(evaluation)
    labels = list(dict.fromkeys(where for where, _ in by_place))
    grouped: dict[Design, list[tuple[str, str]]] = {}
    for where in labels:
        one = next(evaluations[0] for (place, _), evaluations in by_place.items() if place == where)
        part = one.generation.part
        lexicon = part.own_lexicon
        score = Score("", part.name, part.language, lexicon, one.decoding)
        for contrast in contrasts(experiment, [score]):
            sides = by_place.get((where, contrast.arm)), by_place.get((where, contrast.baseline))
            if contrast.primary and sides[0] and sides[1]:
                design = _design(sides[0], sides[1])
                grouped.setdefault(design, []).append((f"{contrast.arm} − {contrast.baseline}", where))
    for design, members in grouped.items():
        pairs = tuple(dict.fromkeys(pair for pair, _ in members))
        yield Question(
            pairs, tuple(dict.fromkeys(place for _, place in members)), power(design, repeats=REPEATS)
        )


def _design(arm: list[Evaluation], baseline: list[Evaluation]) -> Design:
    """The design of a comparison: the arm with fewer trainings decides what can be said about a method."""
    ours, theirs = _trainings(arm), _trainings(baseline)
    counts = [count for count in (ours, theirs) if count]
    as_many: Baseline = "as many" if ours and theirs else "once"
    first = arm[0].generation
    seeds = min(counts, default=0)
    return Design(
        problems=max(len(first.problems), 2),
        seeds=seeds,
        samples=first.decode.n,
        baseline=as_many,
        rate=EXPECTED_RATE,
        seed_spread=EXPECTED_SEED_SPREAD if seeds else 0.0,
    )


def _trainings(evaluations: list[Evaluation]) -> int:
    return len({e.generation.form.training for e in evaluations} - {None})
