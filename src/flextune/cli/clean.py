"""``flextune clean``: what of runs nothing refers to any more."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from flextune.cli import options as o

if TYPE_CHECKING:
    from flextune.runs.cleaning import Piece
    from flextune.runs.run import Run


def clean(
    names: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer reads it at run time
        typer.Argument(metavar="RUN", help="Names or folders (default: every run).", show_default=False),
    ] = None,
    runs: o.Runs = Path("runs"),
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking.")] = False,
    as_json: o.Json = False,
) -> None:
    """List trainings, completions and verdicts that no score is made from, and remove them if you agree.

    Scores, pages, and everything that they are made from are never removed.
    """
    from flextune.cli.terminal import print_json
    from flextune.runs.cleaning import remove
    from flextune.runs.run import find_run, list_runs

    chosen = [find_run(name, runs) for name in names] if names else list_runs(runs)
    found = _found(chosen)
    if not as_json:
        _show(found)
    removed = bool(found) and (yes or (not as_json and _agreed()))
    if removed:
        for run, pieces in found:
            remove(run, pieces)
    if as_json:
        rows = [
            {"run": run.name, "folder": str(piece.folder), "reason": piece.reason, "bytes": piece.bytes}
            for run, pieces in found
            for piece in pieces
        ]
        print_json({"removed": removed, "pieces": rows})
    elif found:
        typer.echo("removed" if removed else "nothing was removed; --yes removes it")


def _found(runs: list[Run]) -> list[tuple[Run, list[Piece]]]:
    from flextune.errors import FlextuneError
    from flextune.runs.cleaning import removable

    found = []
    for run in runs:
        try:
            pieces = removable(run)
        # A run that cannot be read is left as it is.
        except FlextuneError as error:
            typer.echo(f"{run.name}: left alone: {error}", err=True)
            continue
        if pieces:
            found.append((run, pieces))
    return found


def _show(found: list[tuple[Run, list[Piece]]]) -> None:
    from flextune.report.formats import count, size

    for run, pieces in found:
        for piece in pieces:
            typer.echo(
                f"{run.name}/{piece.folder.relative_to(run.folder)}: {piece.reason}, {size(piece.bytes)}"
            )
    total = sum(piece.bytes for _, pieces in found for piece in pieces)
    folders = sum(len(pieces) for _, pieces in found)
    typer.echo(f"{count(folders, 'folder')}, {size(total)}" if folders else "nothing to remove")


def _agreed() -> bool:
    return sys.stdin.isatty() and typer.confirm("remove them?")
