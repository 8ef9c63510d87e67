"""``flextune check-problems``: are a file's references right, and its tests strong?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from flextune.cli import options as o

if TYPE_CHECKING:
    from rich.table import Table

    from flextune.judging.checks.checking import Check


def check_problems(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Problems as for judge --problems, with references.")
    ],
    mutants: Annotated[int, typer.Option("--mutants", min=0, help="Changed references per problem.")] = 10,
    seed: o.Seed = 0,
    output: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("-o", "--output", help="What was found, one JSON line each.", show_default=False),
    ] = None,
    cpu_seconds: Annotated[float, typer.Option("--cpu-seconds", min=0.1, help="Limit per program.")] = 10.0,
    memory_mb: Annotated[int, typer.Option("--memory-mb", min=16, help="Limit per program, MiB.")] = 1024,
    workers: o.Workers = None,
    no_sandbox: o.NoSandbox = False,
    as_json: o.Json = False,
) -> None:
    """Judge a file's references, an empty completion and changed references, and name the weak tests.

    A reference must pass and an empty completion must not; else the exit status is 1. A changed reference
    that passes has survived: the tests are weak there, or the change means the same.
    """
    from flextune.cli.terminal import out, print_json, progress
    from flextune.config import JudgeConfig
    from flextune.files.whole import write_whole
    from flextune.judging import files as judge_files
    from flextune.judging.checks import checking
    from flextune.judging.settings import JudgeSettings, limits_of

    problems = judge_files.read_problems(file)
    config = JudgeConfig(cpu_seconds=cpu_seconds, memory_mib=memory_mb)
    settings = JudgeSettings(limits_of(config), workers, no_sandbox)
    with progress() as reporter:
        judge_files.note_skipped(problems.skipped, reporter)
        found = checking.check_problems(problems.found, settings, count=mutants, seed=seed, reporter=reporter)
    rows = {_label(check, found): _row(check) for check in found}
    if output:
        lines = [json.dumps({"problem": name, **row}, ensure_ascii=False) for name, row in rows.items()]
        write_whole(output, "".join(f"{line}\n" for line in lines))
    if as_json:
        print_json(rows)
    else:
        out().print(_summary(found, len(problems.found)), highlight=False)
        weak = [check for check in found if not check.sound or check.survivors]
        if weak:
            out().print(_table(weak))
    if not all(check.sound for check in found):
        raise typer.Exit(1)


def _label(check: Check, found: list[Check]) -> str:
    """The problem's name, with its language where that is needed to tell it."""
    shared = sum(other.problem == check.problem for other in found) > 1
    return f"{check.problem} ({check.language})" if shared else check.problem


def _row(check: Check) -> dict[str, Any]:
    return {
        "language": check.language,
        "reference": check.reference,
        "message": check.message,
        "empty": check.empty,
        "mutants": check.mutants,
        "killed": check.killed,
        "survivors": list(check.survivors),
    }


def _summary(found: list[Check], total: int) -> str:
    passing = sum(check.reference == "passed" for check in found)
    killed, mutants = sum(check.killed for check in found), sum(check.mutants for check in found)
    share = f" ({100 * killed / mutants:.1f} %)" if mutants else ""
    without = f", {total - len(found)} problems without a reference" if total > len(found) else ""
    return f"{passing} of {len(found)} references pass, {killed} of {mutants} mutants killed{share}{without}"


def _table(weak: list[Check]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column("problem", overflow="fold", max_width=28)
    table.add_column("killed", justify="right")
    table.add_column("what is weak")
    for check in weak:
        table.add_row(Text(check.problem), f"{check.killed}/{check.mutants}", Text(_weakness(check)))
    return table


def _weakness(check: Check) -> str:
    if check.reference != "passed":
        said = check.message.strip().splitlines()
        return f"the reference does not pass: {check.reference}" + (f" ({said[-1]})" if said else "")
    if check.empty == "passed":
        return "an empty completion passes"
    return f"survived, {check.survivors[0]}"
