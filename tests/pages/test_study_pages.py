"""Pages with the figures of studies: heat maps, the plane, a surface in three dimensions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.browser import Open
from tests.support.swept_runs import swept_run
from tests.support.transfer_runs import transfer_run

from flextune.studies.writing import write_report

DRAW_ALL = """async () => {
  page.charts.drawAll();
  await new Promise((done) => setTimeout(done, 500));
}"""
#: What browsers say of their own drivers while they draw in three dimensions.
DRIVER = ("WebGL", "Canvas2D")


def small_transfer(folder: Path) -> object:
    return transfer_run(folder, problems=60, seeds=3)


def small_sweep(folder: Path) -> object:
    return swept_run(folder, problems=60)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("write", "charts"),
    [
        (small_transfer, {"plane", "retention", "transfer", "wins"}),
        (small_sweep, {"sweep-scores", "sweep-strength-cutoff", "surface-strength-cutoff"}),
    ],
)
def test_figures_of_studies_are_drawn_without_a_fault(
    tmp_path: Path, opened: Open, write: Callable[[Path], object], charts: set[str], scheme: str
) -> None:
    write(tmp_path)
    page = write_report(tmp_path).page
    found = opened(page, color_scheme=scheme)
    found.run(DRAW_ALL)
    drawn = found.run("[...document.querySelectorAll('.js-plotly-plot')].map((one) => one.dataset.figure)")
    assert charts <= set(drawn)
    assert found.faults() == {}
    assert [message for message in found.messages if not any(name in message for name in DRIVER)] == []
    assert found.requests == [page.as_uri()]
