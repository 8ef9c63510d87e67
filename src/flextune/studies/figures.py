"""The figures of a run as files, for papers and slides."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import plotly.graph_objects as go

from flextune.errors import FlextuneError, did_you_mean
from flextune.report.charts.base import plain
from flextune.report.charts.files import write_figures
from flextune.report.run_data import RunData, read_run
from flextune.report.sections import Chart
from flextune.studies.registry import studies_of

#: Pixels of a picture; a page has its own width.
WIDTH = 1080
#: Pixels of the title, and of a further row of the legend.
TITLE, LEGEND_ROW = 34, 22
#: Pixels between legend and plot.
LEGEND_GAP = 6
#: About how wide a letter of the legend is, and what stands before each of its names.
LETTER, SWATCH = 7.5, 48


def run_charts(run: RunData) -> dict[str, Chart]:
    """Every chart of the run by its id: what a study draws for files, or else the charts of its sections."""
    charts: dict[str, Chart] = {}
    for study in studies_of(run).values():
        drawn = study.pictures(run) or [c for section in study.sections(run) for c in section.charts]
        for chart in drawn:
            charts.setdefault(chart.id, chart)
    return charts


def export_figures(
    run_folder: Path, out: Path, formats: Sequence[str], only: Sequence[str] = ()
) -> Iterator[Path]:
    """Write ``out/ID.FORMAT`` for every chart.

    Args:
        run_folder: Of a finished run.
        out: Is made if need be; files of these names are replaced.
        formats: png, pdf, svg or html.
        only: Ids of the charts; all of them if empty.

    Yields:
        Each file once it is there.

    Raises:
        FlextuneError: A run that cannot be read, a figure that it does not have, or one that cannot be drawn.
    """
    charts = run_charts(read_run(run_folder))
    for name in only:
        if name not in charts:
            known = ", ".join(sorted(charts)) or "none"
            raise FlextuneError(
                f"no figure {name!r} in {run_folder}{did_you_mean(name, charts)} (known: {known})"
            )
    chosen = {name: chart for name, chart in charts.items() if not only or name in only}
    return write_figures({name: as_picture(chart) for name, chart in sorted(chosen.items())}, out, formats)


def as_picture(chart: Chart) -> go.Figure:
    """The chart with the width of a file and, where the drawing has none, its title."""
    figure = go.Figure(chart.figure).update_layout(width=WIDTH)
    if figure.layout.title.text is None:
        # Above the legend, in room of its own.
        room = TITLE + LEGEND_ROW * (_legend_rows(figure) - 1)
        height = figure.layout.height + room
        figure.update_layout(
            height=height,
            margin_t=figure.layout.margin.t + room,
            title={"text": plain(chart.title), "x": 0.01, "y": 1 - 18 / height, "yanchor": "top"},
        )
        if figure.layout.legend.yref != "container":
            # As near to the plot in a tall figure as in a flat one.
            plot = height - figure.layout.margin.t - figure.layout.margin.b
            figure.update_layout(legend_y=1 + LEGEND_GAP / plot)
    return figure


def _legend_rows(figure: go.Figure) -> int:
    """How many rows the legend has, about: names that do not fit into one stand in equal columns."""
    names = [trace.name for trace in figure.data if trace.showlegend is not False and trace.name]
    widths = [LETTER * len(name) + SWATCH for name in names]
    margin = figure.layout.margin
    across = WIDTH - margin.l - margin.r
    if sum(widths) <= across:
        return 1
    return math.ceil(len(names) / max(1, int(across / max(widths))))
