"""Stages run alone: files in, files out."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from flextune.config import Experiment
from flextune.pipeline.experiment import ModelSource, adapter_identity
from flextune.pipeline.generating import write_completions
from flextune.pipeline.judge_files import verdict_key
from flextune.pipeline.plan import bare_evaluations
from flextune.pipeline.progress import Reporter
from flextune.pipeline.sources import load_problems
from flextune.records import (
    OUTCOMES,
    Comparison,
    FlextuneError,
    Problem,
    Score,
    Verdict,
    as_row,
)
from flextune.runs.lines import read_records, write_whole
from flextune.statistics.summary import compare


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


def compare_files(first: Path, second: Path) -> Comparison:
    """Two verdict files, or two evaluation folders, on their common problems.

    Raises:
        FlextuneError: One is no verdict file, or they have no problem in common.
    """
    ours, theirs = _score_of(first), _score_of(second)
    common = set(ours.outcomes["0"]) & set(theirs.outcomes["0"])
    if not common:
        raise FlextuneError(f"{first} and {second} have no problem in common: nothing to compare")
    return compare(ours, theirs)


def _score_of(path: Path) -> Score:
    file = path / "verdicts.jsonl" if path.is_dir() else path
    if not file.is_file():
        raise FlextuneError(f"{file}: no such verdict file")
    score = Score(str(path), "verdicts", "-", None, "-")
    rows = score.outcomes.setdefault("0", {})
    latest = {verdict_key(v): v for v in read_records(file, Verdict)}
    shared = Counter(name for name, _ in {(name, language) for language, name, _ in latest})
    for language, name, sample in sorted(latest):
        outcome = latest[language, name, sample].outcome
        if outcome not in OUTCOMES:
            known = ", ".join(OUTCOMES)
            raise FlextuneError(
                f"{file}: unknown outcome {outcome!r} ({name}, sample {sample}; known: {known})"
            )
        rows.setdefault(f"{name} ({language})" if shared[name] > 1 else name, []).append(outcome)
    if not rows:
        raise FlextuneError(f"{file}: no verdicts in it")
    return score
