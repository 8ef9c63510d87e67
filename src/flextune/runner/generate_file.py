"""Stages run alone: files in, files out."""

from __future__ import annotations

import json
from pathlib import Path

from flextune.config import Experiment
from flextune.errors import FlextuneError
from flextune.files.whole import write_whole
from flextune.models.adapter_folder import adapter_identity
from flextune.progress import Reporter
from flextune.records import Problem, as_row
from flextune.runner.execute import ModelSource
from flextune.runner.generate import write_completions
from flextune.runner.plan import bare_evaluations
from flextune.sources.loading import load_problems


def generate_alone(
    experiment: Experiment,
    adapter: Path | None,
    output: Path,
    *,
    data_dir: Path | None,
    reporter: Reporter,
) -> int:
    """Write completions to ``output`` and their problems to ``OUTPUT.problems.jsonl``.

    Called again with the same request it goes on where it was stopped.

    Raises:
        FlextuneError: ``output`` holds the completions of another request.
    """
    source = ModelSource(experiment)
    model, training = source.identity, adapter_identity(adapter)
    found = bare_evaluations(experiment, model, training, lambda part: load_problems(part, data_dir))
    evaluation = found[0]
    request = output.with_name(output.name + ".request.json")
    problems = output.with_name(output.name + ".problems.jsonl")
    row = json.dumps({"key": evaluation.key, "model": experiment.model, **evaluation.row()}, indent=2) + "\n"
    if output.exists() and (not request.exists() or request.read_text(encoding="utf-8") != row):
        raise FlextuneError(f"{output}: holds the completions of another request; choose another file")
    write_whole(request, row)
    lines = (json.dumps(_problem_row(problem), ensure_ascii=False) + "\n" for problem in evaluation.problems)
    write_whole(problems, "".join(lines))
    loaded = source.base if adapter is None else source.adapted(adapter, evaluation)
    return write_completions(evaluation, loaded, output, reporter)


def _problem_row(problem: Problem) -> dict[str, object]:
    """A problem in MultiPL-E's format."""
    return {
        "name": problem.name,
        "language": problem.language,
        "prompt": problem.prompt,
        "tests": problem.tests,
        "stop_tokens": list(problem.stop),
        "original": problem.original,
        "entry_point": problem.entry_point,
        "cases": [as_row(case) for case in problem.cases],
    }
