"""Stages run alone: files in, files out."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path

from flextune.config import EvaluateConfig, Experiment
from flextune.data import multipl_e
from flextune.data.files import parse_unique, read_rows
from flextune.judging import judge
from flextune.pipeline.experiment import ModelSource, adapter_identity, write_completions
from flextune.pipeline.judge_queue import JudgeSettings, note_missing_toolchains
from flextune.pipeline.plan import bare_evaluations
from flextune.pipeline.progress import Reporter
from flextune.pipeline.sources import load_problems
from flextune.records import (
    OUTCOMES,
    UNKNOWN_OUTCOMES,
    Comparison,
    Completion,
    FlextuneError,
    Problem,
    Score,
    Verdict,
    as_row,
)
from flextune.runs.keys import digest
from flextune.runs.lines import LineWriter, read_records, write_whole
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
    loaded = source.base if adapter is None else source.adapted(adapter, evaluation.export)
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
    }


def read_problems(path: Path) -> list[Problem]:
    """Problems of a file of rows in MultiPL-E's format; languages may be mixed.

    Raises:
        FlextuneError: A bad row or a second one of a name, with file and line; or none at all.
    """
    problems = parse_unique(
        read_rows(path), lambda row: multipl_e.problem(row, benchmark=path.stem), lambda found: found.name
    )
    if not problems:
        raise FlextuneError(f"{path}: no problems in it")
    return problems


def read_samples(
    path: Path, problems: list[Problem], limit: int | None = None
) -> list[tuple[Problem, Completion]]:
    """Samples ``{name, completion}``, or flextune's own completion lines, with their problems.

    Several samples of one name are numbered in file order. With ``limit``, samples of the first so many
    problems are read, and those of the others left out.

    Raises:
        FlextuneError: A sample without a problem or without a text, with file and line; or none at all.
    """
    known = {problem.name: problem for problem in problems}
    wanted = {problem.name for problem in problems[:limit]}
    counted: dict[str, int] = {}
    pairs = []
    for row in read_rows(path):
        name = row.text("name")
        text = row.text("text" if "text" in row.fields else "completion")
        if name not in known:
            raise FlextuneError(f"{row.where}: no problem is called {name!r}{_nearest(name, known)}")
        if name not in wanted:
            continue
        sample = counted.get(name, 0)
        counted[name] = sample + 1
        pairs.append((known[name], Completion(name, sample, text)))
    if not pairs:
        among = "" if limit is None else f" for the first {limit} problems"
        raise FlextuneError(f"{path}: no samples in it{among}")
    return pairs


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f", did you mean {close[0]!r}?" if close else ""


def reference_samples(part: EvaluateConfig, data_dir: Path | None) -> list[tuple[Problem, Completion]]:
    """The reference answers of a benchmark, to test the judge with.

    Raises:
        FlextuneError: The benchmark has none.
    """
    problems = load_problems(part, data_dir)
    pairs = [(p, Completion(p.name, 0, p.reference)) for p in problems if p.reference is not None]
    if not pairs:
        raise FlextuneError(f"{part.benchmark} has no reference answers in language {part.language!r}")
    return pairs


def judge_alone(
    pairs: list[tuple[Problem, Completion]],
    settings: JudgeSettings,
    *,
    output: Path | None,
    keep_programs: Path | None,
    reporter: Reporter,
) -> list[Verdict]:
    """Judge pairs; the verdicts are in their order.

    With ``output``, what is judged is kept as it comes, and the same call goes on where it was stopped.
    """
    note_missing_toolchains((problem.language for problem, _ in pairs), reporter)
    partial = output and output.with_name(f".{output.name}.{_digest(pairs, settings, keep_programs)}.partial")
    known = {(v.name, v.sample): v for v in read_records(partial, Verdict)} if partial else {}
    known = {key: verdict for key, verdict in known.items() if verdict.outcome not in UNKNOWN_OUTCOMES}
    found = judge(
        [pair for pair in pairs if (pair[1].name, pair[1].sample) not in known],
        limits=settings.limits,
        workers=settings.workers,
        accept_risk=settings.accept_risk,
        keep_programs=keep_programs,
    )
    stage = reporter.stage("judge", len(pairs))
    try:
        with ExitStack() as stack:
            stack.enter_context(closing(found))
            writer = stack.enter_context(LineWriter(partial)) if partial else None
            for verdict in found:
                known[verdict.name, verdict.sample] = verdict
                if writer:
                    writer.write([as_row(verdict)])
                stage.update(len(known), len(pairs))
    finally:
        stage.close()
    verdicts = [known[completion.name, completion.sample] for _, completion in pairs]
    if output and partial:
        lines = (json.dumps(as_row(verdict), ensure_ascii=False) + "\n" for verdict in verdicts)
        write_whole(output, "".join(lines))
        partial.unlink()
    return verdicts


def _digest(
    pairs: list[tuple[Problem, Completion]], settings: JudgeSettings, keep_programs: Path | None
) -> str:
    """Stands for a request: programs, limits, and where the programs are kept."""
    programs = [[c.name, c.sample, p.language, p.program(c.text)] for p, c in pairs]
    kept = None if keep_programs is None else str(keep_programs.resolve())
    return digest([programs, asdict(settings.limits), settings.accept_risk, kept])


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
    latest = {(v.name, v.sample): v for v in read_records(file, Verdict)}
    for name, sample in sorted(latest):
        outcome = latest[name, sample].outcome
        if outcome not in OUTCOMES:
            known = ", ".join(OUTCOMES)
            raise FlextuneError(
                f"{file}: unknown outcome {outcome!r} ({name}, sample {sample}; known: {known})"
            )
        rows.setdefault(name, []).append(outcome)
    if not rows:
        raise FlextuneError(f"{file}: no verdicts in it")
    return score


def summary(verdicts: list[Verdict]) -> dict[str, int]:
    """Outcomes and how often each occurred, ``passed`` and ``total`` always among them."""
    counts = {"total": len(verdicts), "passed": 0}
    for verdict in verdicts:
        counts[verdict.outcome] = counts.get(verdict.outcome, 0) + 1
    unknown = sum(verdict.outcome in UNKNOWN_OUTCOMES for verdict in verdicts)
    return {**counts, "unknown": unknown}
