"""``flextune judge``: samples in, verdicts out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from flextune.cli import options as o


def judge(
    problems: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--problems", help="JSON lines in MultiPL-E's format; languages may be mixed.", show_default=False
        ),
    ] = None,
    samples: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--samples", help="JSON lines {name, completion}.", show_default=False),
    ] = None,
    benchmark: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--benchmark",
            help="Instead of --problems: rosetta, humaneval, multipl-e or mbpp.",
            show_default=False,
        ),
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
            help="Keep each program under DIR/NAME/SAMPLE/.",
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
    """Run programs with their tests in the sandbox and say what happened to each."""
    from flextune.cli.requests import benchmark_request
    from flextune.cli.terminal import print_json, progress
    from flextune.config import JudgeConfig
    from flextune.pipeline import alone
    from flextune.pipeline.judge_queue import JudgeSettings, limits_of
    from flextune.pipeline.sources import load_problems
    from flextune.records import FlextuneError, as_row

    if reference:
        if benchmark is None or samples or problems:
            raise FlextuneError("--reference needs --benchmark, and no --samples or --problems")
        pairs = alone.reference_samples(benchmark_request(benchmark, language, limit), data_dir)
    else:
        if samples and problems and not benchmark:
            rows = alone.read_problems(problems)
        elif samples and benchmark and not problems:
            rows = load_problems(benchmark_request(benchmark, language, None), data_dir)
        else:
            raise FlextuneError(
                "give --samples FILE, and either --problems FILE or --benchmark NAME (or --reference)"
            )
        pairs = alone.read_samples(samples, rows, limit)
    config = JudgeConfig(cpu_seconds=cpu_seconds, wall_seconds=6 * cpu_seconds, memory_mb=memory_mb)
    with progress() as reporter:
        verdicts = alone.judge_alone(
            pairs,
            JudgeSettings(limits_of(config), workers, no_sandbox),
            output=output,
            keep_programs=keep_programs,
            reporter=reporter,
        )
    counts = alone.summary(verdicts)
    if as_json:
        failed = [as_row(v) for v in verdicts if not v.passed]
        print_json({**counts, "not_passed": failed})
    else:
        typer.echo(
            ", ".join(f"{name}: {count}" for name, count in counts.items() if count or name == "passed")
        )
        if output:
            typer.echo(f"verdicts: {output}")
