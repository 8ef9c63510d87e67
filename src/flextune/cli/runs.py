"""``flextune runs``: what there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from flextune.cli import options as o


def runs(folder: o.Runs = Path("runs"), as_json: o.Json = False) -> None:
    """List the runs and what in each is finished."""
    from flextune.cli.terminal import print_json
    from flextune.runs.run import list_runs

    rows = [_row(run.folder) for run in list_runs(folder)]
    if as_json:
        print_json(rows)
        return
    if not rows:
        typer.echo(f"no runs in {folder}; `flextune quickstart` makes one")
    for row in rows:
        state = "scored" if row["scored"] else "unfinished"
        typer.echo(f"{row['name']:24} {state:10} {row['trained']} trained, {row['evaluated']} evaluated")


def _row(folder: Path) -> dict[str, Any]:
    from flextune.statistics.scores_file import read_scores

    scores = folder / "scores.json"
    return {
        "name": folder.name,
        "folder": str(folder),
        "trained": len(list(folder.glob("trained/*/adapter/adapter_config.json"))),
        "evaluated": len(list(folder.glob("evaluated/*/verdicts.jsonl"))),
        "scored": scores.is_file(),
        "baseline": read_scores(scores).baseline if scores.is_file() else None,
    }
