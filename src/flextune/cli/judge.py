"""``flextune judge``: samples in, verdicts out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from flextune.cli import options as o
from flextune.cli.groups import grouped
from flextune.cli.limit_options import LimitOptions

if TYPE_CHECKING:
    from rich.table import Table

    from flextune.judging import Judged, Request
    from flextune.records import Problem

ProblemFile = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--problems",
        help="JSON lines in MultiPL-E's format (languages may be mixed), or of HumanEval(+), MBPP, APPS.",
        show_default=False,
    ),
]
SampleFile = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--samples",
        help="JSON lines {name, completion} or {name, answer} (a chat answer in markdown); or a file of "
        "human-eval, EvalPlus or BigCode; or a MultiPL-E folder, which needs no --problems.",
        show_default=False,
    ),
]
Benchmark = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--benchmark", help=f"Instead of --problems: {o.BENCHMARKS}.", show_default=False),
]
Language = Annotated[str, typer.Option("--language", help="Of --benchmark: py, java, js, ...")]
Reference = Annotated[bool, typer.Option("--reference", help="Judge the reference answers of --benchmark.")]
Output = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("-o", "--output", help="Verdicts, one JSON line each.", show_default=False),
]
KeepPrograms = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--keep-programs",
        metavar="DIR",
        help="Keep each program, just as it runs, under DIR/NAME/SAMPLE/.",
        show_default=False,
    ),
]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Run solution and tests in separate processes, where a language can."),
]
Cache = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--cache",
        metavar="FILE",
        help="Keep verdicts here; a program known there is not run again.",
        show_default=False,
    ),
]


@grouped
def judge(
    limits: LimitOptions,
    problems: ProblemFile = None,
    samples: SampleFile = None,
    benchmark: Benchmark = None,
    language: Language = "py",
    limit: o.Limit = None,
    reference: Reference = False,
    output: Output = None,
    keep_programs: KeepPrograms = None,
    strict: Strict = False,
    cache: Cache = None,
    data_dir: o.DataDir = None,
    workers: o.Workers = None,
    no_sandbox: o.NoSandbox = False,
    as_json: o.Json = False,
) -> None:
    """Run programs with their tests in the sandbox and say what happened to each.

    Lines that cannot be used are skipped and listed on standard error; the rest is judged.
    """
    from flextune.cli.terminal import progress
    from flextune.judging import JudgeSettings, judge_request

    request = _request(problems, samples, benchmark, language, limit, reference, data_dir)
    settings = JudgeSettings(
        limits.limits(),
        workers=workers,
        sandbox=not no_sandbox,
        strict=strict,
        cache=cache,
    )
    with progress() as reporter:
        judged = judge_request(
            request, settings, output=output, keep_programs=keep_programs, reporter=reporter
        )
    _show(judged, output, as_json)


def _request(
    problems: Path | None,
    samples: Path | None,
    benchmark: str | None,
    language: str,
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
    benchmark: str, language: str, limit: int | None, data_dir: Path | None
) -> list[Problem]:
    from flextune.cli.requests import benchmark_request
    from flextune.sources.loading import load_problems

    return load_problems(benchmark_request(benchmark, language, limit), data_dir)


def _show(judged: Judged, output: Path | None, as_json: bool) -> None:
    from flextune.cli.terminal import out, print_json
    from flextune.records import as_row

    if as_json:
        skipped = [{"where": line.where, "reason": line.reason} for line in judged.skipped]
        not_passed = [as_row(verdict) for verdict in judged.verdicts if not verdict.passed]
        languages = judged.by_language
        print_json({**judged.counts, "languages": languages, "skipped": skipped, "not_passed": not_passed})
        return
    out().print(_table(judged.by_language))
    if output:
        typer.echo(f"verdicts: {output}")


def _table(languages: dict[str, dict[str, int]]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("language")
    for column in ("judged", "passed", "share"):
        table.add_column(column, justify="right")
    table.add_column("other outcomes")
    for name, counts in languages.items():
        total, passed = counts["total"], counts["passed"]
        others = [f"{n} {outcome}" for outcome, n in counts.items() if outcome not in _OWN_COLUMNS and n]
        share = f"{100 * passed / total:.1f} %"
        table.add_row(name, str(total), str(passed), share, ", ".join(others))
    return table


_OWN_COLUMNS = ("total", "passed", "unknown")
