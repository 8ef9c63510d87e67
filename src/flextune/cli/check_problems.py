"""``flextune check-problems``: are a file's references right, and its tests strong?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from flextune.cli import options as o
from flextune.cli.groups import grouped
from flextune.cli.limit_options import LimitOptions

if TYPE_CHECKING:
    from rich.table import Table

    from flextune.judging import Check


@grouped
def check_problems(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="File of problems, as for judge --problems, with references."),
    ],
    limits: LimitOptions,
    mutants: Annotated[
        int, typer.Option("--mutants", min=0, help="Mutants (changed references) to try per problem.")
    ] = 10,
    seed: o.Seed = 0,
    output: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("-o", "--output", help="File for the checks, one JSON line each.", show_default=False),
    ] = None,
    tolerance: o.Tolerance = 1e-6,
    site_packages: o.SitePackages = None,
    workers: o.Workers = None,
    no_sandbox: o.NoSandbox = False,
    as_json: o.Json = False,
) -> None:
    """Judge a file's references, an empty completion and changed references, and name the weak tests.

    A reference must pass and an empty completion must not; else the exit status is 1. A changed reference
    that passes has survived: the tests are weak there, or the change means the same.
    """
    from flextune import judging
    from flextune.cli.terminal import progress
    from flextune.files.output import check_no_input, check_output

    if output is not None:
        check_no_input(output, {"FILE": file})
        check_output(output, fields=("problem", "reference", "mutants", "killed"), what="checks")
    problems = judging.read_problems(file)
    settings = judging.JudgeSettings(
        limits.limits(),
        workers=workers,
        sandbox=not no_sandbox,
        tolerance=tolerance,
        site_packages=site_packages,
    )
    with progress() as reporter:
        judging.note_skipped(problems.skipped, reporter)
        checks = judging.check_problems(problems.found, settings, count=mutants, seed=seed, reporter=reporter)
    _show(checks, len(problems.found), output, as_json)
    if not all(check.sound for check in checks):
        raise typer.Exit(1)


def _show(checks: list[Check], total: int, output: Path | None, as_json: bool) -> None:
    from flextune.cli.terminal import out, print_json
    from flextune.files.whole import write_whole

    rows = {_label(check, checks): _row(check) for check in checks}
    if output:
        lines = [json.dumps({"problem": name, **row}, ensure_ascii=False) for name, row in rows.items()]
        write_whole(output, "".join(f"{line}\n" for line in lines))
    if as_json:
        print_json(rows)
        return
    out().print(_summary(checks, total), highlight=False)
    weak = [check for check in checks if not check.sound or check.survivors]
    if weak:
        out().print(_table(weak))


def _label(check: Check, checks: list[Check]) -> str:
    """The problem's name, with its language where another problem has the same name."""
    shared = sum(other.problem == check.problem for other in checks) > 1
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


def _summary(checks: list[Check], total: int) -> str:
    passing = sum(check.reference == "passed" for check in checks)
    killed, mutants = sum(check.killed for check in checks), sum(check.mutants for check in checks)
    share = f" ({100 * killed / mutants:.1f} %)" if mutants else ""
    without = f", {total - len(checks)} problems without a reference" if total > len(checks) else ""
    return f"{passing} of {len(checks)} references pass, {killed} of {mutants} mutants killed{share}{without}"


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
        lines = check.message.strip().splitlines()
        return f"the reference does not pass: {check.reference}" + (f" ({lines[-1]})" if lines else "")
    if check.empty == "passed":
        return "an empty completion passes"
    return f"survived, {check.survivors[0]}"
