"""Charts of a sweep and the rows that they draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.swept_runs import CUTOFFS, STRENGTHS, flat, hill, swept_run

from flextune.report.run_data import read_run
from flextune.studies.figures import run_charts
from flextune.studies.sweeps.configurations import (
    configurations,
    fields,
    numeric,
    pairs_of_keys,
    text,
    varied,
)
from flextune.studies.sweeps.figures import sweep_charts

KEYS = ("penalty.strength", "penalty.cutoff")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return swept_run(tmp_path_factory.mktemp("swept"))


def rows_of(settings: Sequence[Mapping[str, Any]], **options: Any) -> dict[str, Any]:
    trials = [
        {"number": number, "settings": each, "state": "done", "value": 0.3 + number / 100}
        for number, each in enumerate(settings)
    ]
    return {"objective": "pass@1", "halves": [40, 40], "trials": trials, **options}


def test_a_configuration_has_its_score_over_all_problems_with_an_interval(found: dict[str, Any]) -> None:
    rows = configurations(found)
    assert [row.number for row in rows] == list(range(20))
    assert [row.value for row in rows] == pytest.approx([100 * score for score in found["naive"]["scores"]])
    assert all(row.low < row.value < row.high for row in rows)


def test_without_scores_over_all_problems_the_objective_counts() -> None:
    found = rows_of([{"a": 1}, {"a": 2}])
    found["trials"].append({"number": 2, "settings": {"a": 3}, "state": "failed", "value": None})
    assert [row.value for row in configurations(found)] == pytest.approx([30, 31])
    found["objective"] = "eval_loss"
    assert [(row.value, row.low) for row in configurations(found)] == [(0.3, 0.3), (0.31, 0.31)]


def test_keys_that_vary_and_keys_that_are_numbers() -> None:
    rows = configurations(
        rows_of([{"a": 1, "b": "x", "c": 5, "d": True}, {"a": 0.5, "b": "y", "c": 5, "d": False}])
    )
    assert varied(rows) == ["a", "b", "d"]
    assert numeric(rows) == ["a"]


def test_a_field_is_the_mean_over_all_other_keys() -> None:
    settings = [{"a": a, "b": b, "c": c} for a in (2, 1) for b in ("x", "y") for c in (1, 2)]
    rows = configurations(rows_of(settings))
    parts = fields(rows, "a", "b")
    assert [(part.row, part.column, part.count) for part in parts] == [
        ("1", "x", 2), ("1", "y", 2), ("2", "x", 2), ("2", "y", 2),
    ]  # fmt: skip
    assert parts[0].value == pytest.approx(np.mean([34, 35]))
    assert list(pairs_of_keys(rows)) == [("a", "b"), ("a", "c"), ("b", "c")]


def test_a_pair_of_keys_that_was_hardly_tried_has_no_heat_map() -> None:
    rows = configurations(rows_of([{"a": number, "b": number} for number in range(6)]))
    assert list(pairs_of_keys(rows)) == []


def test_a_way_of_decoding_is_called_by_its_label() -> None:
    assert text("decode", {"strategy": "beam", "num_beams": 4}) == text("decode", {"strategy": "beam"})
    assert text("adapter", {"rank": 8}) == '{"rank":8}'
    assert (text("a", None), text("a", 0.001)) == ("null", "0.001")


def test_scores_stand_beside_what_chance_gives(tmp_path: Path) -> None:
    chart = sweep_charts(swept_run(tmp_path, flat))[0]
    traces = {trace.name: trace for trace in chart.figure.data}
    band, scores = traces["95 % by chance"], traces["configurations"]
    high, low = np.array(band.y[:20]), np.array(band.y[20:])[::-1]
    inside = (np.array(scores.y) <= high) & (np.array(scores.y) >= low)
    assert inside.mean() >= 0.9
    assert list(scores.y) == sorted(scores.y, reverse=True)


def test_a_planted_hill_stands_out_of_the_band(found: dict[str, Any]) -> None:
    band, *_, scores = sweep_charts(found)[0].figure.data
    assert scores.y[0] > max(band.y)


def test_a_sweep_of_an_earlier_version_has_its_scores_alone(found: dict[str, Any]) -> None:
    without = {key: value for key, value in found["max_t"].items() if key != "by_rank"}
    chart = sweep_charts({**found, "max_t": without})[0]
    assert [trace.name for trace in chart.figure.data] == ["configurations"]


def test_the_heat_map_has_a_row_for_each_value_of_the_first_key(found: dict[str, Any]) -> None:
    chart = next(chart for chart in sweep_charts(found) if chart.id == "sweep-strength-cutoff")
    (trace,) = chart.figure.data
    assert trace.y == tuple(f"{value:g}" for value in STRENGTHS)
    assert trace.x == tuple(f"{value:g}" for value in CUTOFFS)
    assert np.unravel_index(np.argmax(np.array(trace.z)), (5, 4)) == (2, 2)


def test_the_surface_is_highest_where_the_hill_is(found: dict[str, Any]) -> None:
    chart = next(chart for chart in sweep_charts(found) if chart.id == "surface-strength-cutoff")
    low, mean, high, _, points = chart.figure.data
    assert (np.array(low.z) <= np.array(mean.z)).all()
    assert (np.array(mean.z) <= np.array(high.z)).all()
    row, column = np.unravel_index(np.argmax(np.array(mean.z)), (25, 25))
    assert 100 * hill(mean.x[column], mean.y[row]) > 50
    assert len(points.x) == 20
    assert chart.figure.layout.scene.xaxis.type == "log"
    assert "95 % interval" in chart.text


def test_few_configurations_are_points_without_a_surface() -> None:
    settings = [{"a": a, "b": b} for a in (1, 2) for b in (1, 2)]
    chart = next(chart for chart in sweep_charts(rows_of(settings)) if chart.id == "surface-a-b")
    assert {trace.type for trace in chart.figure.data} == {"scatter3d"}
    assert chart.text == "4 configurations; a surface takes 6."


def test_one_configuration_has_no_figure() -> None:
    assert sweep_charts(rows_of([{"a": 1}])) == []


def test_a_swept_run_exports_its_figures(tmp_path: Path) -> None:
    swept_run(tmp_path)
    names = set(run_charts(read_run(tmp_path)))
    assert {"sweep-scores", "sweep-strength-cutoff", "surface-strength-cutoff"} <= names
