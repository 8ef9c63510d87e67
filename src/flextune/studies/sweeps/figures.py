"""Charts of a sweep: scores with what chance gives, heat maps of two keys, and the fitted surface."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from flextune.report.charts.heat import Tile, draw_heat
from flextune.report.charts.lines import draw_lines
from flextune.report.charts.marks import Band, Line, Points
from flextune.report.charts.surface import Depth, Peak, Sheet, draw_surface
from flextune.report.formats import count, number
from flextune.report.palette import ARM_COLOURS, GREY
from flextune.report.sections import Chart
from flextune.report.settings_text import setting_name
from flextune.statistics.components import CONFIDENCE, Floats
from flextune.statistics.response import FEWEST_POINTS, fit_response
from flextune.studies.sweeps.configurations import (
    Configuration,
    Found,
    configurations,
    fields,
    numeric,
    pairs_of_keys,
)

#: Heat maps, and surfaces, of one sweep.
MOST_PAIRS = 4
#: Points of a surface's grid along an axis.
GRID = 25
#: From a key's lowest value above 0 to its highest: beyond, its axis is logarithmic.
WIDE = 20.0


def sweep_charts(found: Found) -> list[Chart]:
    """Those that the sweep has the configurations for."""
    rows = configurations(found)
    if len(rows) < 2:
        return []
    return [_scores(rows, found), *_heat_maps(rows, found), *_surfaces(rows, found)]


def _measure(found: Found) -> str:
    return "validation loss" if found["objective"] == "eval_loss" else "pass@1, %"


def _scores(rows: Sequence[Configuration], found: Found) -> Chart:
    """Configurations from the best to the worst; beside them the same if none differed from the baseline."""
    loss = found["objective"] == "eval_loss"
    ranked = sorted(rows, key=lambda row: row.value if loss else -row.value)
    ranks = tuple(float(rank) for rank in range(1, len(ranked) + 1))
    marks: list[Line | Points] = list(_by_chance(ranks, found))
    marks.append(
        Points(
            "configurations",
            ranks,
            tuple(row.value for row in ranked),
            ARM_COLOURS[0],
            "%{customdata[0]}<br>%{y:.4g}",
            details=tuple((row.name,) for row in ranked),
        )
    )
    drawn = draw_lines(marks, x={"title": "rank"}, y={"title": _measure(found)})
    text = "Configurations from the best to the worst."
    if len(marks) > 1:
        text += " The band holds 95 % of what they would be if none differed from the baseline."
    return Chart("sweep-scores", "Scores over configurations, and what chance alone gives", drawn, text)


def _by_chance(ranks: tuple[float, ...], found: Found) -> Iterator[Line]:
    """Of the permutations; nothing where there are none, or an earlier version made them."""
    by_rank = (found.get("max_t") or {}).get("by_rank")
    if not by_rank or len(by_rank) != len(ranks):
        return
    base = found["naive"]["baseline_rate"]
    low, middle, high = (tuple(100 * (base + gain) for gain in gains) for gains in zip(*by_rank, strict=True))
    band = Band(low, high, 0.2, "95 % by chance")
    yield Line("if none differed", ranks, middle, GREY, hover="%{y:.1f} %", dash="dash", band=band)
    yield Line("baseline", (ranks[0], ranks[-1]), (100 * base,) * 2, GREY, hover="%{y:.1f} %", dash="dot")


def _heat_maps(rows: Sequence[Configuration], found: Found) -> Iterator[Chart]:
    digits = 3 if found["objective"] == "eval_loss" else 1
    for first, second in itertools.islice(pairs_of_keys(rows), MOST_PAIRS):
        parts = fields(rows, first, second)
        names = list(dict.fromkeys(part.row for part in parts))
        across = list(dict.fromkeys(part.column for part in parts))
        tiles = [
            [
                Tile(
                    part.value,
                    "" if part.value is None else number(part.value, digits),
                    f"mean of {count(part.count, 'configuration')}",
                )
                for part in parts
                if part.row == name
            ]
            for name in names
        ]
        drawn = draw_heat(
            names, across, tiles, scale=_measure(found), x=setting_name(second), y=setting_name(first)
        )
        title = f"{_measure(found).removesuffix(', %')} by {setting_name(first)} and {setting_name(second)}"
        yield Chart(f"sweep-{_slug(first)}-{_slug(second)}", title, drawn)


def _surfaces(rows: Sequence[Configuration], found: Found) -> Iterator[Chart]:
    pairs = itertools.combinations(numeric(rows), 2)
    for first, second in itertools.islice(pairs, MOST_PAIRS):
        axes = [Scale.of([float(row.settings[key]) for row in rows]) for key in (first, second)]
        sheet = _sheet(rows, axes, (first, second)) if len(rows) >= FEWEST_POINTS else None
        peaks = [
            Peak(
                float(row.settings[first]),
                float(row.settings[second]),
                row.value,
                row.low,
                row.high,
                f"{row.name}: {row.value:.4g}",
            )
            for row in rows
        ]
        drawn = draw_surface(
            peaks,
            sheet,
            x=Depth(setting_name(first), axes[0].log),
            y=Depth(setting_name(second), axes[1].log),
            z=_measure(found),
        )
        what = "points and fitted surface (Gaussian process, 95 %)" if sheet else "points"
        title = f"{_measure(found)} over {setting_name(first)} and {setting_name(second)}: {what}"
        yield Chart(f"surface-{_slug(first)}-{_slug(second)}", title, drawn, _said(rows, sheet))


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis as numbers from 0 to 1.

    Attributes:
        low: Its lowest value, as a logarithm where ``log``.
        high: Its highest.
        log: Whether values are spread by logarithms.
    """

    low: float
    high: float
    log: bool

    @classmethod
    def of(cls, values: Sequence[float]) -> Scale:
        """Logarithmic where values above 0 span a wide range."""
        log = min(values) > 0 and max(values) > WIDE * min(values)
        ends = np.log([min(values), max(values)]) if log else np.array([min(values), max(values)])
        return cls(float(ends[0]), float(ends[1]), log)

    def place(self, values: Floats) -> Floats:
        """From 0 to 1."""
        return np.asarray(((np.log(values) if self.log else values) - self.low) / (self.high - self.low))

    def grid(self) -> Floats:
        """Evenly spread values."""
        values = np.linspace(self.low, self.high, GRID)
        return np.asarray(np.exp(values) if self.log else values)


def _sheet(rows: Sequence[Configuration], axes: Sequence[Scale], keys: tuple[str, str]) -> Sheet:
    reach = float(stats.norm.ppf((1 + CONFIDENCE) / 2))
    places = np.stack(
        [
            axis.place(np.array([float(row.settings[key]) for row in rows]))
            for axis, key in zip(axes, keys, strict=True)
        ],
        axis=-1,
    )
    values = np.array([row.value for row in rows])
    variances = np.array([((row.high - row.low) / (2 * reach)) ** 2 for row in rows])
    across, along = (axis.grid() for axis in axes)
    ends = np.meshgrid(axes[0].place(across), axes[1].place(along))
    mean, spread = fit_response(places, values, variances).at(np.stack(ends, axis=-1))
    return Sheet(
        tuple(across.tolist()),
        tuple(along.tolist()),
        *(tuple(map(tuple, each.tolist())) for each in (mean, mean - reach * spread, mean + reach * spread)),
    )


def _said(rows: Sequence[Configuration], sheet: Sheet | None) -> str:
    if sheet is None:
        return f"{count(len(rows), 'configuration')}; a surface takes {FEWEST_POINTS}."
    means = [value for row in sheet.mean for value in row]
    widths = [
        high - low
        for lows, highs in zip(sheet.low, sheet.high, strict=True)
        for low, high in zip(lows, highs, strict=True)
    ]
    return (
        f"The surface goes from {min(means):.4g} to {max(means):.4g}; its 95 % interval is {min(widths):.3g}"
        f" to {max(widths):.3g} wide."
    )


def _slug(key: str) -> str:
    return setting_name(key).replace(" ", "-")
