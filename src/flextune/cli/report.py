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
            "--format",
            "--pictures",
            help="Also write the studies' figures as files: html, svg, png or pdf.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write the page of a finished run again, with the documents of its studies; print their paths."""
    from flextune.report.charts.files import check_formats
    from flextune.runs.run import find_run
    from flextune.studies.writing import write_report

    check_formats([] if pictures is None else [pictures])
    report = write_report(find_run(run, runs).folder, pictures)
    if pictures is not None and not any(study.documents for study in report.studies):
        typer.echo(
            f"no study of this run has figures; flextune figures {run} writes those of the page", err=True
        )
    for path in (report.page, *(path for study in report.studies for path in study.documents)):
        typer.echo(path)
