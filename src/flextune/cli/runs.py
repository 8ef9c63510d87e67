"""``flextune runs``: what there is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from flextune.cli import options as o

if TYPE_CHECKING:
    from flextune.runs.run import Run


def runs(folder: o.Runs = Path("runs"), as_json: o.Json = False) -> None:
    """List the runs, and what is finished in each."""
    from flextune.cli.terminal import print_json
    from flextune.runs.run import list_runs

    rows = [_row(run) for run in list_runs(folder)]
    if as_json:
        print_json(rows)
        return
    if not rows:
        typer.echo(f"no runs in {folder}; `flextune quickstart` makes one")
    width = max((len(row["name"]) for row in rows), default=0)
    for row in rows:
        state = "scored" if row["scored"] else "unfinished"
        counts = f"{row['trained']} trained, {row['judged']} evaluated"
        models = ", ".join(row["models"])
        typer.echo(f"{row['name']:{width}}  {row['date'] or '-':16}  {state:10}  {counts}  {models}")
        if row["problem"]:
            typer.echo(f"  {row['problem']}")


def _row(run: Run) -> dict[str, Any]:
    from flextune.errors import FlextuneError

    models: list[str] = []
    baseline, problem = None, None
    try:
        run.check_format()
        models = list(dict.fromkeys(arm.model for arm in run.experiment.resolved_arms()))
        baseline = run.scores.baseline if run.scores_file.is_file() else None
    # What is wrong with one run must not hide the others.
    except FlextuneError as error:
        problem = str(error)
    return {
        "name": run.name,
        "folder": str(run.folder),
        "date": _date(run),
        "models": models,
        "trained": sum(trained.finished for trained in run.trainings()),
        "judged": sum(judged.verdicts_file.is_file() for judged in run.judgings()),
        "scored": run.scores_file.is_file() and problem is None,
        "baseline": baseline,
        "problem": problem,
    }


def _date(run: Run) -> str | None:
    """When the run was last changed: ``2026-11-26 14:03``."""
    from datetime import datetime

    file = run.scores_file if run.scores_file.is_file() else run.folder
    return f"{datetime.fromtimestamp(file.stat().st_mtime):%Y-%m-%d %H:%M}"
