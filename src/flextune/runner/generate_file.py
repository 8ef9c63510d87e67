"""Completions alone: a model and a benchmark in, two files out."""

from __future__ import annotations

from pathlib import Path

from flextune.config import Experiment
from flextune.data.multipl_e import problem_row
from flextune.errors import FlextuneError
from flextune.files.lines import write_lines
from flextune.files.objects import read_object, write_object
from flextune.files.output import check_new_file
from flextune.progress import Reporter
from flextune.runner.execute import plan_sources
from flextune.runner.generate import write_completions
from flextune.runner.models import ModelStore
from flextune.runner.plan import make_plan


def generate_file(request: Experiment, output: Path, *, data_dir: Path | None, reporter: Reporter) -> int:
    """Write completions to ``output`` and their problems to ``OUTPUT.problems.jsonl``.

    Called again with the same request it continues where it was stopped.

    Args:
        request: One model, benchmark, language and decoding, with ``train: null``.
        output: The completions.
        data_dir: Where benchmark files are.
        reporter: Told of the progress.

    Returns:
        Completions in the file.

    Raises:
        FlextuneError: ``output`` holds the completions of another request.
    """
    check_new_file(output)
    models = ModelStore(reporter=reporter)
    (evaluation,) = make_plan(request, plan_sources(models, data_dir)).evaluations
    generation = evaluation.generation
    request_file = output.with_name(output.name + ".request.json")
    if output.exists() and read_object(request_file).get("key") != generation.key:
        raise FlextuneError(f"{output}: holds the completions of another request; choose another file")
    write_object(request_file, {"key": generation.key, **generation.row()})
    write_lines(output.with_name(output.name + ".problems.jsonl"), map(problem_row, generation.problems))
    model = models.form(generation.form)
    write_completions([(generation, output)], model, reporter, label=evaluation.label)
    return generation.total
