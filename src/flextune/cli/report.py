"""``flextune report``: the page of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flextune.cli.options import Runs


def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's name or folder.", show_default=False)],
    runs: Runs = Path("runs"),
) -> None:
    """Write the HTML page of a finished run anew and print its path."""
    from flextune.report.page import write_page
    from flextune.runs.directory import find_run

    typer.echo(write_page(find_run(run, runs).folder))
