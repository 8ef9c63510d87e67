"""``flextune figures``: every figure of a run as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from flextune.cli.options import Runs


def figures(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's name or folder.", show_default=False)],
    out: Annotated[
        Path,
        typer.Option(
            "-o", "--output", help="Folder for the figures; it is made if it is missing.", show_default=False
        ),
    ],
    formats: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            "--format",
            help="Format: png, pdf, svg or html; repeatable (default: png, pdf and svg).",
            show_default=False,
        ),
    ] = None,
    only: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--only", help="Name of a figure to write; repeatable (default: all).", show_default=False
        ),
    ] = None,
    runs: Runs = Path("runs"),
) -> None:
    """Write every figure of a finished run, those of its page and of its studies, and print their paths.

    Pictures need the extra `figures` and a Chromium, whose path may stand in $BROWSER_PATH.
    """
    from flextune.files.output import check_new_folder
    from flextune.report.charts.files import PICTURES, check_formats
    from flextune.runs.run import find_run
    from flextune.studies.figures import export_figures

    check_new_folder(out, "-o")
    kinds = check_formats(formats or PICTURES)
    for path in export_figures(find_run(run, runs).folder, out, kinds, only or ()):
        typer.echo(path)
