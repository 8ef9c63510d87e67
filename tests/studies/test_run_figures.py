"""Every figure of a run as files."""

from __future__ import annotations

from pathlib import Path

import pytest

from flextune.errors import FlextuneError
from flextune.report.run_data import read_run
from flextune.studies.figures import as_picture, export_figures, run_charts

CHARTS = {"scores", "outcomes", "losses", "penalty", "spectrum-A", "spectrum-B"}


@pytest.mark.slow
def test_every_chart_of_the_page_is_a_figure(small_run: Path, tmp_path: Path) -> None:
    assert set(run_charts(read_run(small_run))) >= CHARTS
    written = list(export_figures(small_run, tmp_path / "figures", ["html"]))
    assert {path.stem for path in written} >= CHARTS
    assert all(path.is_file() for path in written)


@pytest.mark.slow
def test_a_figure_may_be_chosen_by_its_name(small_run: Path, tmp_path: Path) -> None:
    (path,) = export_figures(small_run, tmp_path, ["html"], ["outcomes"])
    assert path.name == "outcomes.html"
    with pytest.raises(FlextuneError, match=r"no figure 'outcome' in .*, did you mean 'outcomes'\?"):
        export_figures(small_run, tmp_path, ["html"], ["outcome"])


def test_a_picture_has_its_title_above_its_legend(small_run: Path) -> None:
    chart = run_charts(read_run(small_run))["scores"]
    picture = as_picture(chart)
    assert picture.layout.title.text == chart.title
    assert picture.layout.height == chart.figure.layout.height + 34
    assert chart.figure.layout.title.text is None
