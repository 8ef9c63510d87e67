"""Completions alone: a model and a benchmark in, two files out."""

from __future__ import annotations

from pathlib import Path

from flextune.config import Experiment
from flextune.data.multipl_e import problem_row
from flextune.data.samples.writing import check_format, write_samples
from flextune.errors import FlextuneError
from flextune.files.lines import read_records, write_lines
from flextune.files.objects import read_object, write_object
from flextune.files.output import check_new_file, check_no_input
from flextune.progress import Reporter
from flextune.records import Completion, Problem
from flextune.runner.checks import check_forms, check_prompts, check_servers
from flextune.runner.generate import write_completions
from flextune.runner.models import ModelStore
from flextune.runner.plan import make_plan
from flextune.runner.sources import plan_sources
from flextune.runner.work import Generation


def generate_file(
    request: Experiment,
    output: Path,
    *,
    data_dir: Path | None,
    reporter: Reporter,
    form: str | None = None,
) -> int:
    """Write completions to ``output`` and their problems to ``OUTPUT.problems.jsonl``.

    Called again with the same request it continues where it was stopped.

    Args:
        request: One model, benchmark, language and decoding, with ``train: null``.
        output: The completions; with ``form`` the other tool's file or folder.
        data_dir: Where benchmark files are.
        reporter: Told of the progress.
        form: Layout of another tool (``flextune.data.samples.writing``), written once all is there. The
            completions, which a second call continues, are then in ``OUTPUT.completions.jsonl``.

    Returns:
        Completions in the file.

    Raises:
        FlextuneError: ``output`` holds the completions of another request.
    """
    layout_file, output = output, _completions_file(output, form)
    check_new_file(output)
    problems_file = output.with_name(output.name + ".problems.jsonl")
    check_no_input(problems_file, {"--problems": request.evaluate[0].path})
    models = ModelStore(reporter=reporter)
    # With stops: program there are two ways of judging the one generation.
    evaluation = make_plan(request, plan_sources(models, data_dir)).evaluations[0]
    generation = evaluation.generation
    layout = None if form is None else check_format(form, generation.problems, chat=generation.posed.answers)
    request_file = output.with_name(output.name + ".request.json")
    # A request that failed before its first answer leaves an empty file.
    begun = output.exists() and output.stat().st_size > 0
    if begun and read_object(request_file).get("key") != generation.key:
        raise FlextuneError(f"{output}: holds the completions of another request; choose another file")
    done = {(each.name, each.sample) for each in read_records(output, Completion)}
    missing = len(done) < generation.total
    if missing:
        check_forms([generation], reporter)
        check_prompts([generation])
        check_servers([generation], lambda key: True, reporter)
    # A model that cannot be loaded leaves no file.
    engine = models.engine(generation.form) if missing else None
    write_object(request_file, {"key": generation.key, **generation.row()})
    write_lines(problems_file, map(problem_row, generation.problems))
    if engine is not None:
        label = f"{evaluation.arm} on {generation.part.label}"
        write_completions([(generation, output)], engine, reporter, label=label)
    if layout is not None:
        write_samples(
            layout, layout_file, _answers(generation, output), decode=generation.decode.model_dump()
        )
    return generation.total


def _completions_file(output: Path, form: str | None) -> Path:
    """Where our own completions are kept.

    Raises:
        FlextuneError: There is something else where the other tool's layout is to be.
    """
    if form is None:
        return output
    file = output.with_name(output.name + ".completions.jsonl")
    if output.exists() and not file.exists():
        raise FlextuneError(f"{output}: is there already; choose another file")
    return file


def _answers(generation: Generation, file: Path) -> list[tuple[Problem, list[Completion]]]:
    """The completions of each problem, in the samples' order."""
    by_name: dict[str, dict[int, Completion]] = {}
    for completion in read_records(file, Completion):
        by_name.setdefault(completion.name, {})[completion.sample] = completion
    return [
        (problem, [completion for _, completion in sorted(by_name[problem.name].items())])
        for problem in generation.problems
    ]
