"""Generate what an experiment lacks, each form of a model once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from flextune.files.lines import LineWriter, read_records
from flextune.progress import Reporter
from flextune.records import Completion, as_row
from flextune.runner.plan import Evaluation
from flextune.runs.run import RunDirectory

if TYPE_CHECKING:
    from flextune.models.load import LoadedModel

#: Float32 sums in another order differ by about this much; below it the larger logit is chance.
NEAR_TIE = 1e-4


def complete_all(
    evaluations: list[Evaluation],
    load: Callable[[Evaluation], LoadedModel],
    run: RunDirectory,
    then: Callable[[Evaluation], None],
    reporter: Reporter,
) -> None:
    """Generate what is missing and then hand every evaluation on; one model per export and scale."""
    for form in dict.fromkeys((evaluation.export, evaluation.scale) for evaluation in evaluations):
        with ExitStack() as stack:
            model: list[LoadedModel] = []
            for evaluation in (e for e in evaluations if (e.export, e.scale) == form):
                if _missing(evaluation, run):
                    if not model:
                        model.append(load(evaluation))
                        stack.callback(model.clear)
                    file = run.evaluated(evaluation.key).completions_file
                    write_completions(evaluation, model[0], file, reporter)
                then(evaluation)


def _missing(evaluation: Evaluation, run: RunDirectory) -> bool:
    folder = run.evaluated(evaluation.key)
    folder.describe(evaluation.row(), evaluation.problems)
    return len(folder.completions()) < len(evaluation.problems) * evaluation.decode.samples


def write_completions(evaluation: Evaluation, model: LoadedModel, file: Path, reporter: Reporter) -> int:
    """Append the completions that ``file`` does not have yet; returns how many it has then."""
    from flextune.generation.local import LocalEngine

    done = {(c.name, c.sample): c for c in read_records(file, Completion)}
    total = len(evaluation.problems) * evaluation.decode.samples
    stage = reporter.stage(f"generate {evaluation.label}", total)
    finished = len(done)
    try:
        with LineWriter(file) as writer:
            batches = LocalEngine(model).generate(
                evaluation.problems, evaluation.decode, seed=evaluation.seed or 0, done=done.keys()
            )
            for batch in batches:
                writer.write(map(as_row, batch))
                writer.checkpoint()
                finished += len(batch)
                stage.update(finished, total)
    finally:
        stage.close()
    return finished


def note_ties(evaluations: list[Evaluation], run: RunDirectory, reporter: Reporter) -> None:
    """Say where another batch size could have decoded another greedy text."""
    ties = 0
    for key in {e.key for e in evaluations if e.decode.strategy == "greedy"}:
        margins = [completion.margin for completion in run.evaluated(key).completions().values()]
        ties += sum(margin is not None and margin < NEAR_TIE for margin in margins)
    if ties:
        reporter.note(
            f"{ties} greedy completions passed a near tie (two logits closer than {NEAR_TIE:g}): "
            "another batch size or machine may decode them differently"
        )
