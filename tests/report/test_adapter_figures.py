from __future__ import annotations

from pathlib import Path

import plotly.graph_objects as go
import pytest
from tests.support.spectrum_rows import module_rows, type_rows

from flextune.errors import FlextuneError
from flextune.report.charts import files
from flextune.report.spectra.layers import layer_curves
from flextune.report.spectra.power import draw_power, power_curves

MATRICES = ["A", "B", "update, inputs", "update, outputs"]


def two_adapters() -> go.Figure:
    types = [*type_rows("up_proj"), *type_rows("q_proj")]
    return draw_power(power_curves({"one": types, "two": types}))


def test_power_rows_are_the_types_spectra_with_their_permuted_band() -> None:
    found = power_curves({"mine": type_rows()})
    assert [row.matrix for row in found] == MATRICES
    row = found[0]
    assert (row.adapter, row.type, row.x, row.y) == ("mine", "up_proj", (0.25, 0.75), (1.25, 0.75))
    assert (row.low, row.high) == ((0.9, 0.8), (1.1, 1.2))


def test_an_untrained_matrix_has_no_power_to_draw() -> None:
    assert power_curves({"mine": type_rows(value=None)}) == []


def test_layer_rows_are_percent_in_the_order_of_layers() -> None:
    rows = [*module_rows(layer=3, value=0.7), *module_rows(layer=1, value=0.5), *module_rows(layer=None)]
    found = layer_curves({"mine": rows})
    assert [row.matrix for row in found] == MATRICES
    assert found[0].x == (1, 3)
    assert found[0].y == pytest.approx((50.0, 70.0))
    assert (found[0].low, found[0].high) == (pytest.approx((40.0, 40.0)), pytest.approx((60.0, 60.0)))


def test_one_layer_or_unknown_shares_make_no_curve() -> None:
    assert layer_curves({"mine": module_rows()}) == []
    unknown = [row for layer in (0, 1) for row in module_rows(layer=layer, value=None)]
    assert layer_curves({"mine": unknown}) == []


def test_every_type_and_matrix_has_a_panel_with_a_band_and_a_line_for_each_adapter() -> None:
    drawn = two_adapters()
    titles = [note.text for note in drawn.layout.annotations]
    assert titles == [f"{kind}: {name}" for kind in ("up_proj", "q_proj") for name in MATRICES]
    panels: dict[str, list[go.Scatter]] = {}
    for trace in drawn.data:
        panels.setdefault(trace.xaxis, []).append(trace)
    assert len(panels) == 8
    for traces in panels.values():
        assert [trace.fill for trace in traces] == ["toself", "toself", None, None]
        assert [trace.legendgroup for trace in traces] == ["one band", "two band", "one", "two"]
        assert traces[2].line.color != traces[3].line.color == traces[1].fillcolor


def test_legend_names_each_adapter_and_band_once() -> None:
    shown = [trace.name for trace in two_adapters().data if trace.showlegend]
    assert sorted(shown) == ["one", "one, permuted (5 to 95 %)", "two", "two, permuted (5 to 95 %)"]


def test_a_band_is_a_closed_outline_of_both_edges() -> None:
    band = draw_power(power_curves({"mine": type_rows()})).data[0]
    assert band.x == (0.25, 0.75, 0.75, 0.25)
    assert band.y == (1.1, 1.2, 0.8, 0.9)


def test_a_panel_with_a_far_peak_has_a_logarithm() -> None:
    rows = type_rows()
    rows[1]["power"] = [40.0, 0.1]
    layout = draw_power(power_curves({"mine": rows})).layout
    assert [axis.type for axis in (layout.yaxis, layout.yaxis2, layout.yaxis3)] == [None, "log", None]


def test_markup_in_an_adapters_name_is_text() -> None:
    drawn = draw_power(power_curves({"<b>x</b>": type_rows("<i>")}))
    assert "<b>" not in drawn.to_json()
    assert "<i>" not in drawn.to_json()


def test_pages_share_one_library_and_fetch_nothing(tmp_path: Path) -> None:
    figures = {"power": two_adapters(), "again": two_adapters()}
    written = list(files.write_figures(figures, tmp_path / "new" / "folder"))
    assert [path.name for path in written] == ["power.html", "again.html"]
    text = written[0].read_text(encoding="utf-8")
    assert '"up_proj: A"' in text
    assert "cdn" not in text.lower()
    assert (tmp_path / "new" / "folder" / "plotly.min.js").stat().st_size > 1e6


def test_an_unknown_format_is_refused() -> None:
    assert files.check_formats(["html", "html"]) == ("html",)
    with pytest.raises(FlextuneError, match=r"'bmp': unknown \(known: html, png, pdf, svg\)"):
        files.check_formats(["html", "bmp"])


def test_a_picture_without_kaleido_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(FlextuneError, match=r"'png' needs kaleido: pip install 'flextune\[figures\]'"):
        files.check_formats(["png"])


def test_pictures_have_their_formats(chromium: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("kaleido")
    monkeypatch.setenv("BROWSER_PATH", chromium)
    written = list(files.write_figures({"power": two_adapters()}, tmp_path, ["html", *files.PICTURES]))
    assert [path.name for path in written] == ["power.html", "power.png", "power.pdf", "power.svg"]
    begins = [path.read_bytes()[:4] for path in written[1:]]
    assert begins == [b"\x89PNG", b"%PDF", b"<svg"]


def test_a_picture_that_cannot_be_drawn_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(*args: object, **options: object) -> None:
        raise RuntimeError("no browser\nand a long story")

    monkeypatch.setattr(files, "write_images", fail)
    with pytest.raises(FlextuneError, match=r"power\.png: cannot be drawn \(no browser\); it takes Chromium"):
        list(files.write_figures({"power": two_adapters()}, tmp_path, ["png"]))


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FlextuneError, match=r"file: cannot be written \(File exists\)"):
        list(files.write_figures({"power": two_adapters()}, tmp_path / "file"))
