"""``flextune report``: the page of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from flextune.cli.options import Runs


def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's name or folder.", show_default=False)],
    runs: Runs = Path("runs"),
    pictures: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--pictures",
            help="svg, png or pdf: also the figures of compared optimizers as files.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write the HTML page of a finished run anew, and what it says about optimizers; print their paths."""
    from flextune.report.optimizers.study import write_optimizer_study
    from flextune.report.page import write_page
    from flextune.runs.run import find_run

    folder = find_run(run, runs).folder
    typer.echo(write_page(folder))
    if study := write_optimizer_study(folder, pictures):
        typer.echo(study)
