"""Judging alone: files of problems and samples in, verdicts out, resumed where it was stopped."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path

from flextune.config import EvaluateConfig
from flextune.data.problem_rows import Problems
from flextune.data.problem_rows import read_problems as _read_problems
from flextune.data.samples import LONGEST_SOURCE, read_samples
from flextune.errors import FlextuneError
from flextune.files.lenient import Skipped
from flextune.files.lines import LineWriter, read_records
from flextune.files.whole import write_whole
from flextune.judging import languages
from flextune.judging.settings import JudgeSettings, note_missing_toolchains, note_not_strict
from flextune.progress import Reporter
from flextune.records import UNKNOWN_OUTCOMES, Completion, Problem, Verdict, as_row
from flextune.runs.keys import digest
from flextune.sources.loading import load_problems


@dataclass(frozen=True)
class Request:
    """What is to be judged.

    Attributes:
        pairs: Problems and completions in the samples' order.
        skipped: What was left out of the files, with the reason.
    """

    pairs: list[tuple[Problem, Completion]]
    skipped: tuple[Skipped, ...] = ()


def read_problems(path: Path) -> Problems:
    """Problems of a file that can be judged; languages and formats may be mixed.

    Raises:
        FlextuneError: The file cannot be read, or there are none.
    """
    return _read_problems(path, languages())


def read_request(
    samples: Path,
    *,
    problems: Path | None = None,
    part: EvaluateConfig | None = None,
    data_dir: Path | None = None,
    limit: int | None = None,
) -> Request:
    """Samples with the problems of a file or of a benchmark, or with those that they carry themselves.

    Args:
        samples: A file, or a folder of MultiPL-E's.
        problems: A file of problems.
        part: Instead of it, a benchmark.
        data_dir: Where benchmark files are.
        limit: Judge samples of the first so many problems.

    Raises:
        FlextuneError: A file cannot be read, or nothing in it can be used.
    """
    known: Problems | None = None
    if problems is not None:
        known = read_problems(problems)
    elif part is not None:
        known = Problems(tuple(load_problems(part, data_dir)))
    pairs, skipped = read_samples(
        samples,
        None if known is None else known.found,
        refused=() if known is None else known.skipped,
        judged=languages(),
        limit=limit,
    )
    return Request(pairs, (*(known.skipped if known else ()), *skipped))


def reference_request(part: EvaluateConfig, data_dir: Path | None) -> Request:
    """The reference answers of a benchmark, to test the judge with.

    Raises:
        FlextuneError: The benchmark has none.
    """
    problems = load_problems(part, data_dir)
    pairs = [(p, Completion(p.name, 0, p.reference)) for p in problems if p.reference is not None]
    if not pairs:
        raise FlextuneError(f"{part.benchmark} has no reference answers in language {part.language!r}")
    return Request(pairs)


def judge_request(
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
    if settings.strict:
        note_not_strict((problem for problem, _ in pairs), reporter)
    partial = output and output.with_name(f".{output.name}.{_digest(pairs, settings, keep_programs)}.partial")
    known = {verdict_key(v): v for v in read_records(partial, Verdict)} if partial else {}
    known = {key: verdict for key, verdict in known.items() if verdict.outcome not in UNKNOWN_OUTCOMES}
    pending = [pair for pair in pairs if _pair_key(*pair) not in known]
    stage = reporter.stage("judge", len(pairs))
    try:
        with ExitStack() as stack:
            found = stack.enter_context(closing(_verdicts(pending, settings, keep_programs)))
            writer = stack.enter_context(LineWriter(partial)) if partial else None
            for verdict in found:
                known[verdict_key(verdict)] = verdict
                if writer:
                    writer.write([as_row(verdict)])
                stage.update(len(known), len(pairs))
    finally:
        stage.close()
    verdicts = [known[_pair_key(*pair)] for pair in pairs]
    if output and partial:
        lines = (json.dumps(as_row(verdict), ensure_ascii=False) + "\n" for verdict in verdicts)
        write_whole(output, "".join(lines))
        partial.unlink()
    return verdicts


def _verdicts(
    pairs: list[tuple[Problem, Completion]], settings: JudgeSettings, keep_programs: Path | None
) -> Generator[Verdict, None, None]:
    """Verdicts as they come; what is too long to be source is refused without a run."""
    fit = []
    for problem, completion in pairs:
        if len(completion.text) > LONGEST_SOURCE:
            yield Verdict(
                completion.name,
                completion.sample,
                "compile_error",
                "compile",
                f"more than {LONGEST_SOURCE:,} characters of source; not run",
                language=problem.language,
            )
        else:
            fit.append((problem, completion))
    with settings.judge() as own:
        yield from own.verdicts(fit, keep_programs=keep_programs)


def verdict_key(verdict: Verdict) -> tuple[str, str, int]:
    """What tells a verdict from all others of a file."""
    return verdict.language, verdict.name, verdict.sample


def _pair_key(problem: Problem, completion: Completion) -> tuple[str, str, int]:
    return problem.language, completion.name, completion.sample


def _digest(
    pairs: list[tuple[Problem, Completion]], settings: JudgeSettings, keep_programs: Path | None
) -> str:
    """Stands for a request: programs and their cases, limits, and where the programs are kept."""
    programs = [[*_pair_key(p, c), p.program(c.text), [asdict(case) for case in p.cases]] for p, c in pairs]
    kept = None if keep_programs is None else str(keep_programs.resolve())
    return digest([programs, asdict(settings.limits), settings.accept_risk, settings.strict, kept])


def summary(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """Outcomes and how often each occurred, ``passed`` and ``total`` always among them."""
    counts: dict[str, int] = {"total": len(verdicts), "passed": 0}
    counts.update(Counter(verdict.outcome for verdict in verdicts))
    return {**counts, "unknown": sum(verdict.outcome in UNKNOWN_OUTCOMES for verdict in verdicts)}


def by_language(verdicts: Sequence[Verdict]) -> dict[str, dict[str, int]]:
    """``summary`` for each language, in the order in which they come."""
    found = dict.fromkeys(verdict.language for verdict in verdicts)
    return {name: summary([verdict for verdict in verdicts if verdict.language == name]) for name in found}


#: Lines about skipped input that a person will read.
_SAID = 20


def note_skipped(skipped: Sequence[Skipped], reporter: Reporter) -> None:
    """Say what was left out and why, the first of it at least."""
    for one in skipped[:_SAID]:
        reporter.note(f"skipped {one}")
    if len(skipped) > _SAID:
        reporter.note(f"skipped {len(skipped) - _SAID} more (--json lists them all)")
