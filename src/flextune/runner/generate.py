"""Generate what an experiment lacks, each form of a model once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

from flextune.files.lines import LineWriter, read_records
from flextune.generation.engine import Engine, Request
from flextune.generation.prompts.posing import prompt_rows
from flextune.progress import Reporter
from flextune.records import Completion, completion_row
from flextune.report.formats import count
from flextune.runner.models import ModelStore
from flextune.runner.work import Evaluation, Form, Generation
from flextune.runs.run import Run

#: Float32 sums in another order differ by about this much; below it the larger logit is chance.
NEAR_TIE = 1e-4


def generate_all(
    evaluations: Sequence[Evaluation],
    models: ModelStore,
    run: Run,
    then: Callable[[Evaluation], None],
    reporter: Reporter,
) -> None:
    """Generate what is missing and hand every evaluation on as soon as it is complete.

    Each form of a model is loaded once, and all that is asked of it is decoded side by side.
    """
    forms = list(dict.fromkeys(evaluation.generation.form for evaluation in evaluations))
    ordered = sorted(evaluations, key=lambda evaluation: forms.index(evaluation.generation.form))
    for form, group in groupby(ordered, key=lambda evaluation: evaluation.generation.form):
        _generate_form(form, list(group), models, run, then, reporter)


def _generate_form(
    form: Form,
    evaluations: Sequence[Evaluation],
    models: ModelStore,
    run: Run,
    then: Callable[[Evaluation], None],
    reporter: Reporter,
) -> None:
    missing: dict[str, Generation] = {}
    waiting: dict[str, list[Evaluation]] = {}
    for evaluation in evaluations:
        generation = evaluation.generation
        if _is_missing(generation, run):
            missing[generation.key] = generation
            waiting.setdefault(generation.key, []).append(evaluation)
        else:
            then(evaluation)
    if not missing:
        return
    arms = dict.fromkeys(evaluation.arm for group in waiting.values() for evaluation in group)
    seeds = dict.fromkeys(evaluation.seed for group in waiting.values() for evaluation in group)
    of_seed = "" if set(seeds) == {None} or len(seeds) > 1 else f" seed {next(iter(seeds))}"

    def complete(generation: Generation) -> None:
        for evaluation in waiting[generation.key]:
            then(evaluation)

    jobs = [(generation, run.generated(key).completions_file) for key, generation in missing.items()]
    label = ", ".join(arms) + of_seed
    engine, start = models.engine(form), time.monotonic()
    programs, tokens = write_completions(jobs, engine, reporter, label=label, complete=complete)
    seconds = time.monotonic() - start
    run.note_work(
        {
            "stage": "generate",
            "what": label,
            "model": form.model.name,
            "parameters": models.parameters.get(form.model.name),
            "programs": programs,
            "tokens": tokens,
            "seconds": round(seconds, 3),
        }
    )


def _is_missing(generation: Generation, run: Run) -> bool:
    folder = run.generated(generation.key)
    folder.begin(generation.row(), generation.problems, prompt_rows(generation.posed))
    return len(folder.completions()) < generation.total


def write_completions(
    jobs: Sequence[tuple[Generation, Path]],
    engine: Engine,
    reporter: Reporter,
    *,
    label: str,
    complete: Callable[[Generation], None] = lambda generation: None,
) -> tuple[int, int]:
    """Append the completions that files lack, as they finish.

    Args:
        jobs: What one form of a model is to answer, and the file of each.
        engine: What answers for that form.
        reporter: Told of the progress.
        label: Names the work.
        complete: Told of each generation whose file is complete.

    Returns:
        How many were written, and their tokens.
    """
    done = [{(c.name, c.sample) for c in read_records(file, Completion)} for _, file in jobs]
    left = [generation.total - len(keys) for (generation, _), keys in zip(jobs, done, strict=True)]
    total, written = sum(generation.total for generation, _ in jobs), 0
    requests = [
        Request(generation.problems, generation.decode, generation.seed or 0, keys, generation.posed.prompts)
        for (generation, _), keys in zip(jobs, done, strict=True)
    ]
    with ExitStack() as stack:
        stage = stack.enter_context(reporter.stage(f"generate {label}", total))
        writers = [stack.enter_context(LineWriter(file)) for _, file in jobs]
        stage.update(total - sum(left), total)
        for place in [place for place, count in enumerate(left) if count == 0]:
            complete(jobs[place][0])
        unanswered: list[str] = []
        tokens, start = 0, time.monotonic()
        for answers in engine.answer(requests):
            by_job: dict[int, list[Completion]] = {}
            for answer in answers:
                by_job.setdefault(answer.request, []).append(answer.completion)
            for place, completions in by_job.items():
                writers[place].write(map(completion_row, completions))
                writers[place].checkpoint()
                left[place] -= len(completions)
                written += len(completions)
                tokens += sum(completion.tokens for completion in completions)
                unanswered += [c.name for c in completions if _has_no_room(c)]
            # Some servers count no tokens.
            detail = f"{tokens / (time.monotonic() - start):.0f} tokens/s" if tokens else ""
            stage.update(total - sum(left), total, detail)
            for place in by_job:
                if left[place] == 0:
                    complete(jobs[place][0])
    _note_unanswered(unanswered, reporter)
    return written, tokens


def _has_no_room(completion: Completion) -> bool:
    """Whether the prompt alone filled the window; some servers count no tokens."""
    return completion.finish == "length" and not completion.text and not completion.tokens


def _note_unanswered(names: Sequence[str], reporter: Reporter) -> None:
    """Say which prompts left no room for an answer: they count as answered wrongly."""
    if names:
        more = ", ..." if len(set(names)) > 1 else ""
        reporter.note(
            f"{len(names)} prompts fill the model's window and got an empty answer ({names[0]}{more}); "
            "use a shorter generate.prompt or a model with a longer window"
        )


def note_ties(evaluations: Sequence[Evaluation], run: Run, reporter: Reporter) -> None:
    """Say where another batch size could have decoded another greedy text."""
    greedy = {e.generation.key for e in evaluations if e.generation.decode.strategy == "greedy"}
    margins = [c.margin for key in sorted(greedy) for c in run.generated(key).completions().values()]
    ties = sum(margin is not None and margin < NEAR_TIE for margin in margins)
    if ties:
        reporter.note(
            f"{count(ties, 'greedy completion')} passed a near tie (two logits closer than {NEAR_TIE:g}): "
            "another batch size or machine may decode another text"
        )
