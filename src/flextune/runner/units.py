"""A run's work in units that processes on other machines can do, and what hands them out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from flextune.errors import FlextuneError
from flextune.runner.plan import Plan
from flextune.runner.work import BaseModel, Evaluation, Form, Training
from flextune.runs.run import Run

if TYPE_CHECKING:
    from flextune.runner.execute import RunOptions


@dataclass(frozen=True)
class Unit:
    """What one process does by itself, with all that it takes to do it.

    Attributes:
        kind: One training; generations of one form of a model; or one judging.
        label: Names it in progress lines.
        makes: Keys of what is there when it is done.
        needs: Keys of what must be there before.
        gpu: Whether it wants one, where there are any.
        training: To be done, if it is one.
        evaluations: To be generated or judged, each with a key of its own.
    """

    kind: Literal["train", "generate", "judge"]
    label: str
    makes: frozenset[str]
    needs: frozenset[str]
    gpu: bool
    training: Training | None = None
    evaluations: tuple[Evaluation, ...] = ()

    def is_ready(self, run: Run) -> bool:
        """Whether what it needs is in the run's folder, as this machine sees it."""
        if self.kind == "judge":
            return all(not evaluation.generation.unanswered(run) for evaluation in self.evaluations)
        return all(run.trained(key).finished for key in self.needs)

    def is_done(self, run: Run) -> bool:
        """Whether what it makes is in the run's folder, as this machine sees it."""
        if self.training is not None:
            return run.trained(self.training.key).finished
        if self.kind == "generate":
            return all(not evaluation.generation.unanswered(run) for evaluation in self.evaluations)
        # A verdict that says nothing about the program is judged again by the next run only.
        return all(len(run.judged(e.key).verdicts()) >= e.generation.total for e in self.evaluations)

    def model(self) -> BaseModel | None:
        """The base model that it loads; None where it loads none."""
        if self.training is not None:
            return self.training.model
        return self.evaluations[0].generation.form.model if self.kind == "generate" else None


class Executor(Protocol):
    """Has units done somewhere else."""

    @property
    def slots(self) -> int:
        """Units that can be at work at the same time."""

    def work(self, units: Sequence[Unit], run: Run, options: RunOptions) -> None:
        """Have units done, each after those that make what it needs.

        May be called from several threads, with units that share no key.

        Raises:
            FlextuneError: A unit failed with it, or it was lost too often.
            KeyboardInterrupt: ``stop`` was called, or Ctrl-C came.
        """

    def stop(self) -> None:
        """End the units at work, which keep what they have; every ``work`` raises KeyboardInterrupt."""


def units_of(plan: Plan, run: Run, slots: int) -> list[Unit]:
    """What of a plan is not done yet.

    All that is asked of one form of a model is one unit, so that the model is loaded once; where there are
    fewer forms than slots, it is spread over several.

    Args:
        plan: All of the work.
        run: Has what is done.
        slots: Units that can be at work at the same time.

    Raises:
        FlextuneError: A server is to answer.
    """
    if any(evaluation.generation.form.served for evaluation in plan.evaluations):
        raise FlextuneError(
            "generate.engine: a server answers one process, not the tasks of a cluster; leave --cluster out"
        )
    trainings = [_training(each) for each in plan.trainings if not run.trained(each.key).finished]
    generations = list(_generations(plan.evaluations, run, slots))
    return [*trainings, *generations, *_judgings(plan.evaluations, run)]


def _training(training: Training) -> Unit:
    start = training.start.training if training.start is not None else None
    needs = _merged(training.model) | ({start} if start is not None else set())
    gpu = training.model.device != "cpu"
    label = f"train {training.label}"
    return Unit("train", label, frozenset({training.key}), frozenset(needs), gpu, training=training)


def _merged(model: BaseModel) -> set[str]:
    """Trainings of this run that are merged into a model."""
    return {start.training for start in model.merged if start.training is not None}


def _generations(evaluations: Iterable[Evaluation], run: Run, slots: int) -> Iterable[Unit]:
    by_form: dict[Form, dict[str, Evaluation]] = {}
    for evaluation in evaluations:
        generation = evaluation.generation
        asked = by_form.setdefault(generation.form, {})
        if generation.key not in asked and generation.unanswered(run):
            asked[generation.key] = evaluation
    missing = {form: list(asked.values()) for form, asked in by_form.items() if asked}
    for form, together in missing.items():
        parts = min(len(together), max(slots // len(missing), 1))
        needs = _merged(form.model) | ({form.training} if form.training is not None else set())
        for part in (tuple(together[first::parts]) for first in range(parts)):
            more = f" and {len(part) - 1} more" if len(part) > 1 else ""
            yield Unit(
                "generate",
                f"generate {part[0].label}{more}",
                frozenset(evaluation.generation.key for evaluation in part),
                frozenset(needs),
                form.model.device != "cpu",
                evaluations=part,
            )


def _judgings(evaluations: Iterable[Evaluation], run: Run) -> Iterable[Unit]:
    for key, evaluation in {each.key: each for each in reversed(list(evaluations))}.items():
        if evaluation.unjudged(run):
            needs = frozenset({evaluation.generation.key})
            yield Unit(
                "judge",
                f"judge {evaluation.label}",
                frozenset({key}),
                needs,
                False,
                evaluations=(evaluation,),
            )
