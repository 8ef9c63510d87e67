"""Generate what an experiment lacks, each form of a model once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from flextune.files.lines import LineWriter, read_records
from flextune.progress import Reporter
from flextune.records import Completion, as_row
from flextune.runner.models import ModelStore
from flextune.runner.plan import Evaluation, Generation
from flextune.runs.run import Run

if TYPE_CHECKING:
    from flextune.models.load import LoadedModel

#: Float32 sums in another order differ by about this much; below it the larger logit is chance.
NEAR_TIE = 1e-4


def generate_all(
    evaluations: Sequence[Evaluation],
    models: ModelStore,
    run: Run,
    then: Callable[[Evaluation], None],
    reporter: Reporter,
) -> None:
    """Generate what is missing and then hand every evaluation on; each form of a model is loaded once."""
    forms = list(dict.fromkeys(evaluation.generation.form for evaluation in evaluations))
    ordered = sorted(evaluations, key=lambda evaluation: forms.index(evaluation.generation.form))
    for form, members in groupby(ordered, key=lambda evaluation: evaluation.generation.form):
        model: LoadedModel | None = None
        for evaluation in members:
            generation = evaluation.generation
            if _is_missing(generation, run):
                model = model or models.form(form)
                file = run.generated(generation.key).completions_file
                write_completions(generation, model, file, reporter, label=evaluation.label)
            then(evaluation)
        del model


def _is_missing(generation: Generation, run: Run) -> bool:
    folder = run.generated(generation.key)
    folder.begin(generation.row(), generation.problems)
    return len(folder.completions()) < generation.total


def write_completions(
    generation: Generation, model: LoadedModel, file: Path, reporter: Reporter, *, label: str
) -> int:
    """Append the completions that ``file`` does not have yet; returns how many it has then."""
    from flextune.generation.local import LocalEngine

    done = {(c.name, c.sample) for c in read_records(file, Completion)}
    finished = len(done)
    with (
        reporter.stage(f"generate {label}", generation.total) as stage,
        LineWriter(file) as writer,
    ):
        batches = LocalEngine(model).generate(
            generation.problems, generation.decode, seed=generation.seed or 0, done=done
        )
        for batch in batches:
            writer.write(map(as_row, batch))
            writer.checkpoint()
            finished += len(batch)
            stage.update(finished, generation.total)
    return finished


def note_ties(evaluations: Sequence[Evaluation], run: Run, reporter: Reporter) -> None:
    """Say where another batch size could have decoded another greedy text."""
    greedy = {e.generation.key for e in evaluations if e.generation.decode.strategy == "greedy"}
    margins = [c.margin for key in sorted(greedy) for c in run.generated(key).completions().values()]
    ties = sum(margin is not None and margin < NEAR_TIE for margin in margins)
    if ties:
        reporter.note(
            f"{ties} greedy completions passed a near tie (two logits closer than {NEAR_TIE:g}): "
            "another batch size or machine may decode them differently"
        )
