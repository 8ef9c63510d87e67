"""What a user should know about the data of a run before it is trained on: copies, long texts, overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flextune.records import Example, Problem
from flextune.report.formats import count
from flextune.runner.plan import Plan
from flextune.runner.work import Training
from flextune.sources.copies import equal_copies
from flextune.sources.overlap import overlap

#: Share of a problem's runs of tokens from which on a run warns of it.
NEARLY_ALL = 0.8

#: Training texts that are compared with problems at most: some seconds' work.
MOST_TEXTS = 20_000

#: Names that a line shows.
SHOWN = 3


def data_notes(plan: Plan, unfinished: Sequence[Training]) -> Iterator[str]:
    """Lines about the examples of trainings that are not finished, each once.

    Args:
        plan: With the problems that are evaluated.
        unfinished: Trainings whose data counts.
    """
    problems = _problems(plan)
    seen: set[int] = set()
    for training in unfinished:
        if id(training.examples) not in seen:
            seen.add(id(training.examples))
            yield from _copies(training)
            yield from _overlap(training, problems)


def _copies(training: Training) -> Iterator[str]:
    if training.recipe.train.deduplicate != "none" or _is_embedded(training):
        return
    copies = equal_copies(training.examples)
    if copies:
        yield (
            f"{_name(training)}: {len(copies)} of {len(training.examples)} training examples equal an earlier"
            f" one ({_names(copies)}); train.deduplicate: exact leaves them out"
        )
    shared = equal_copies(training.examples, training.validation)
    if len(shared) > len(copies):
        yield (
            f"{_name(training)}: {count(len(shared) - len(copies), 'training example')} equal to a validation"
            " example; train.deduplicate: exact leaves them out"
        )


def _overlap(training: Training, problems: Sequence[Problem]) -> Iterator[str]:
    if not problems or _is_embedded(training) or len(training.examples) > MOST_TEXTS:
        return
    found = overlap(training.examples, problems, threshold=NEARLY_ALL)
    if found.copies:
        first = found.copies[0]
        yield (
            f"{_name(training)}: the training data nearly holds {len(found.touched)} of {len(problems)}"
            f" problems that are evaluated: {first.example} has {first.share:.0%} of the {first.part} of"
            f" {first.language} {first.problem}; `flextune overlap` lists them"
        )


def _problems(plan: Plan) -> list[Problem]:
    """The problems of public benchmarks and of files; Rosetta's own training split never holds any."""
    parts = {evaluation.generation.part: evaluation.generation.problems for evaluation in plan.evaluations}
    return [problem for part, own in parts.items() if part.benchmark != "rosetta" for problem in own]


def _is_embedded(training: Training) -> bool:
    """Whether all data is Rosetta's: drawn, so that a lesson may come twice, and like no other benchmark."""
    return all((part.source or "").startswith("rosetta") for part in training.recipe.train.parts)


def _name(training: Training) -> str:
    return "train.data " + ", ".join(part.name for part in training.recipe.train.parts)


def _names(examples: Sequence[Example]) -> str:
    shown = ", ".join(example.name for example in examples[:SHOWN])
    return shown + (", ..." if len(examples) > SHOWN else "")
