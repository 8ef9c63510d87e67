"""The adapter's spectrum: power by frequency, beside the same entries in random order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from flextune.report import formats
from flextune.report.charts.base import INK
from flextune.report.charts.lines import draw_lines
from flextune.report.charts.marks import Line
from flextune.report.labels import Labels
from flextune.report.run_data import JsonObject, RunData, TrainedAdapter
from flextune.report.sections import Chart, Section
from flextune.report.tables import Table

BINS = 64
NOTE = (
    "Power of each LoRA matrix by frequency, over its mean. A matrix with no order in it is flat at 1; only "
    "a departure from the dashed line says something about frequency."
)


@dataclass(frozen=True, slots=True)
class MeanSpectrum:
    """One factor of one arm's adapters, averaged over matrices, then over seeds.

    Attributes:
        arms: Arms that share the trainings.
        factor: ``A`` or ``B``.
        frequencies: Bin centres, 0 to 1 (Nyquist).
        power: Relative to the matrix's mean power: 1 everywhere is what a random order gives.
        high_share: Share of the power in the upper half of the frequencies.
        permuted_high_share: The same of the same entries, randomly permuted.
        matrices: Matrices averaged over.
        seeds: Seeds averaged over.
    """

    arms: tuple[str, ...]
    factor: str
    frequencies: tuple[float, ...]
    power: tuple[float, ...]
    high_share: float
    permuted_high_share: float
    matrices: int
    seeds: int


def spectrum_section(run: RunData) -> Section | None:
    """A chart for each factor, and the shares above half of Nyquist; None where no spectrum was measured."""
    spectra = mean_spectra(run.trainings)
    factors = [factor for factor in ("A", "B") if any(mean.factor == factor for mean in spectra)]
    charts = tuple(
        Chart(f"spectrum-{factor}", f"Factor {factor}", draw_spectra(spectra, factor, run.labels))
        for factor in factors
    )
    if not charts:
        return None
    return Section(
        id="spectrum",
        title="Spectrum of the adapter",
        name="Spectrum",
        order=70,
        charts=charts,
        tables=(_shares(spectra),),
        notes=(NOTE,),
        side_by_side=True,
    )


def mean_spectra(trainings: Sequence[TrainedAdapter]) -> list[MeanSpectrum]:
    """One for each group of arms and factor; a matrix of zeros, or with a nan, is skipped."""
    grouped: dict[tuple[tuple[str, ...], str], list[list[JsonObject]]] = {}
    for training in trainings:
        for factor in ("A", "B"):
            matrices = [
                m for m in training.matrices if m.get("factor") == factor and 0 < sum(m["power"]) < math.inf
            ]
            if matrices:
                grouped.setdefault((training.arms, factor), []).append(matrices)
    return [_mean_spectrum(arms, factor, seeds) for (arms, factor), seeds in grouped.items()]


def draw_spectra(spectra: Sequence[MeanSpectrum], factor: str, labels: Labels) -> go.Figure:
    """Lines of relative power; the dashed line at 1 is the null."""
    lines = [
        Line(
            label=", ".join(mean.arms),
            x=mean.frequencies,
            y=mean.power,
            colour=labels.style(mean.arms[0]).colour,
            dash=labels.style(mean.arms[0]).dash,
            hover="%{x:.2f}: %{y:.3f}",
        )
        for mean in spectra
        if mean.factor == factor
    ]
    null = Line("same entries, random order", (0, 1), (1, 1), INK, dash="dash", width=1.2)
    return draw_lines(
        [*lines, null],
        x={"title": "frequency, as a share of Nyquist", "range": [0, 1]},
        y={"title": f"power of {factor}, relative", "rangemode": "tozero"},
    )


def _shares(spectra: Sequence[MeanSpectrum]) -> Table:
    rows = [
        (
            ", ".join(mean.arms),
            mean.factor,
            formats.percent(mean.high_share),
            formats.percent(mean.permuted_high_share),
            f"{formats.count(mean.matrices, 'adapted layer')}, {formats.count(mean.seeds, 'seed')}",
        )
        for mean in spectra
    ]
    header = ("Arm", "Factor", "High frequencies", "Same entries, random order", "Mean over")
    title = "Share of power in the upper half of the frequencies, in percent"
    return Table(title, header, tuple(rows), align="llrrq")


def _mean_spectrum(arms: tuple[str, ...], factor: str, seeds: list[list[JsonObject]]) -> MeanSpectrum:
    bins = min(BINS, max(len(m["power"]) for matrices in seeds for m in matrices))
    power = np.mean(
        [np.mean([_relative(m["power"], bins) for m in matrices], axis=0) for matrices in seeds], axis=0
    )
    return MeanSpectrum(
        arms=arms,
        factor=factor,
        frequencies=tuple(_centres(bins).tolist()),
        power=tuple(power.tolist()),
        high_share=_mean("high_share", seeds),
        permuted_high_share=_mean("permuted_high_share", seeds),
        matrices=len(seeds[0]),
        seeds=len(seeds),
    )


def _relative(power: Sequence[float], bins: int) -> NDArray[np.float64]:
    """Power over its mean, on a common grid: narrow matrices have fewer bins than wide ones."""
    values = np.asarray(power, dtype=np.float64)
    return np.interp(_centres(bins), _centres(len(values)), values / values.mean())


def _centres(bins: int) -> NDArray[np.float64]:
    return (np.arange(bins) + 0.5) / bins


def _mean(field: str, seeds: list[list[JsonObject]]) -> float:
    return float(np.mean([np.mean([float(m[field]) for m in matrices]) for matrices in seeds]))
