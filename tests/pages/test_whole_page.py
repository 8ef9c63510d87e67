"""The page of a run in a real browser: what it shows, asks for and prints, and whom it serves."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.browser import Open, Opened

SECTIONS = ["findings", "scores", "transfer", "tests", "outcomes", "training", "spectrum", "programs", "run"]

OPEN_ALL = """async () => {
  for (let round = 0; round < 3; round += 1) {
    for (const one of document.querySelectorAll('main details')) one.open = true;
    await new Promise((done) => setTimeout(done, 50));
  }
}"""
DRAW_ALL = """async () => {
  page.charts.drawAll();
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


def all_of_it(found: Opened) -> None:
    """Open everything that can be opened, a few problems included."""
    found.run(DRAW_ALL)
    found.run(OPEN_ALL)


@pytest.mark.parametrize(("width", "scheme"), [(400, "light"), (1024, "dark"), (1440, "light")])
def test_every_section_opens_without_a_fault(page_file: Path, opened: Open, width: int, scheme: str) -> None:
    found = opened(page_file, width=width, color_scheme=scheme)
    all_of_it(found)
    assert found.run("[...document.querySelectorAll('main > section')].map((one) => one.id)") == SECTIONS
    assert found.run("document.querySelectorAll('main details:not([open])').length") == 0
    heights = found.run("[...document.querySelectorAll('main > section')].map((one) => one.offsetHeight)")
    assert min(heights) > 100
    # Nothing makes the page itself wider than the window.
    assert found.run("document.documentElement.scrollWidth") == width
    assert found.faults() == {}
    assert found.messages == []
    assert found.requests == [page_file.as_uri()]


def test_every_chart_is_drawn_and_has_a_table_or_a_text(found: Opened) -> None:
    found.run(DRAW_ALL)
    charts = found.run(
        """[...document.querySelectorAll('figure.chart')].map((one) => ({
          name: one.querySelector('[data-figure]').getAttribute('aria-label'),
          drawn: one.querySelectorAll('.main-svg').length > 0,
          rows: one.querySelectorAll('tbody tr').length,
        }))"""
    )
    assert len(charts) >= 5
    assert all(chart["drawn"] and chart["rows"] > 0 and chart["name"] for chart in charts), charts


def test_a_legend_hides_and_shows_an_arm(found: Opened) -> None:
    found.run(DRAW_ALL)
    button = found.page.locator("#scores .legend button", has_text="lora").first
    assert button.get_attribute("aria-pressed") == "true"
    visible = "document.querySelector('[data-figure=scores]').data.map((one) => one.visible !== false)"
    assert found.run(visible) == [True] * 4
    button.click()
    assert found.run(visible) == [True, False, True, True]
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert found.run(visible) == [True] * 4


def test_a_figure_can_be_saved(found: Opened) -> None:
    found.run(DRAW_ALL)
    with found.page.expect_download() as download:
        found.page.locator("#outcomes .save").click()
    assert download.value.suggested_filename == "outcomes.svg"
    assert Path(download.value.path()).read_text(encoding="utf-8").startswith("<svg")


def test_a_narrow_window_shows_whole_columns_and_says_that_there_are_more(
    page_file: Path, opened: Open
) -> None:
    found = opened(page_file, width=400)
    found.page.locator("#scores .numbers summary").click()
    boxes: list[dict[str, Any]] = found.run(
        """[...document.querySelectorAll('.scroll.wide')].filter((b) => b.checkVisibility()).map((box) => {
          const cells = [...box.querySelectorAll('thead tr:last-child > *')];
          const edges = cells.map((cell) => cell.getBoundingClientRect().right);
          const right = box.getBoundingClientRect().right;
          return {
            off: Math.min(...edges.map((edge) => Math.abs(edge - right))),
            first: getComputedStyle(box.querySelector('tbody th')).position,
            hint: box.nextElementSibling.className === 'hint' && box.nextElementSibling.textContent,
            focusable: box.tabIndex === 0,
            label: box.getAttribute('aria-label'), at: box.scrollLeft,
          };
        })"""
    )
    assert len(boxes) >= 3
    for box in boxes:
        assert box["off"] <= 2, box
        assert box["first"] == "sticky"
        assert "more column" in box["hint"]
        assert box["focusable"]


def test_buttons_are_told_apart_by_their_names(found: Opened) -> None:
    names = found.run("[...document.querySelectorAll('#tests summary')].map((one) => one.textContent)")
    assert len(set(names)) == len(names)
    assert any("lora against baseline, Java · old words" in name for name in names)


def test_the_page_is_printed_whole(page_file: Path, opened: Open) -> None:
    found = opened(page_file, color_scheme="dark")
    before = found.run("document.querySelectorAll('main details[open]').length")
    found.page.emulate_media(media="print")
    found.wait("page.state.printing")
    found.page.wait_for_timeout(50)
    assert found.run("document.querySelectorAll('main details:not([open])').length") == 0
    listed = found.run("document.querySelectorAll('#problems .problem').length")
    assert found.run("document.querySelectorAll('#problems .problem .shown').length") == listed > 10
    assert "rank: 8" in found.page.locator("#run pre").inner_text()
    paper = "getComputedStyle(document.body).backgroundColor"
    assert found.run(paper) == "rgb(255, 255, 255)"
    # Charts fit the paper, in the colours of a light ground.
    assert (
        found.run("Math.max(...[...document.querySelectorAll('.main-svg')].map((one) => one.clientWidth))")
        <= 680
    )
    assert found.run("document.querySelector('[data-figure=scores]').data[1].marker.color") == "#1f6fd0"
    found.page.emulate_media(media="screen")
    found.wait("!page.state.printing")
    assert found.run("document.querySelectorAll('main details[open]').length") == before
    assert found.run("document.querySelector('[data-figure=scores]').data[1].marker.color") == "#4c93f5"


def test_without_scripts_tables_stay_and_nothing_empty_is_shown(page_file: Path, opened: Open) -> None:
    # A page without scripts cannot be asked by one.
    found = opened(page_file, java_script_enabled=False)
    assert found.page.locator(".verdicts tbody tr").count() == 6
    assert not found.page.locator("#filters").is_visible()
    assert not found.page.locator(".plot").first.is_visible()
    assert (
        found.page.locator("noscript").last.inner_text().startswith("The programs and charts need JavaScript")
    )


def test_the_readmes_picture_is_taken_by_a_script(page_file: Path, tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "scripts" / "page_picture.py"
    out = tmp_path / "page.png"
    subprocess.run([sys.executable, script, page_file, out], check=True)
    header = out.read_bytes()[:24]
    assert header.startswith(b"\x89PNG")
    assert struct.unpack(">II", header[16:]) == (1200, 1500)
