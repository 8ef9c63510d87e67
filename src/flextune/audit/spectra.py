"""Adapter folders to spectra: what lies in the files, measured beside its nulls, one row per matrix."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flextune.errors import FlextuneError
from flextune.extras import need
from flextune.lora_names import module_places
from flextune.models.lora_files import LoraFiles, read_lora_files
from flextune.progress import Reporter

if TYPE_CHECKING:
    from flextune.spectral.comparison import Comparison
    from flextune.spectral.pairs import LoraPair

Row = dict[str, Any]


@dataclass(frozen=True)
class AdapterSpectra:
    """One adapter's spectra, ready for JSON.

    Attributes:
        adapter: What the user calls it.
        folder: Where it lies.
        base_model: What it says it was made for.
        passed_over: What it holds beside LoRA matrices of linear modules, by kind: names.
        start: How it was started, where A and B hold a part of the base weights (PiSSA and others), so that
            B A is not what training changed; else None.
        rows: As ``nulls.compare_with_nulls`` has them, with ``layer`` (None outside of layers), ``type`` and
            ``rank``.
        types: The same over all modules of a type (``comparison.average``), with their number as
            ``modules``, and ``outside``: for each number and null, how many of them lie outside its band.
    """

    adapter: str
    folder: str
    base_model: str | None
    passed_over: Mapping[str, tuple[str, ...]]
    start: str | None
    rows: tuple[Row, ...]
    types: tuple[Row, ...]

    def as_row(self) -> Row:
        """One JSON object."""
        return asdict(self)


def adapter_spectra(
    folder: Path | str, name: str, *, draws: int = 20, bins: int = 64, seed: int = 0, reporter: Reporter
) -> AdapterSpectra:
    """Measure a LoRA folder in PEFT's format.

    Args:
        folder: Trained here or elsewhere; its base model is not needed.
        name: What to call it.
        draws: Of each null, for each module.
        bins: Points of a spectrum at most.
        seed: Of the draws; adapters of the same shapes meet the same ones.
        reporter: Told of each module.

    Raises:
        FlextuneError: No adapter there, no LoRA matrix in it, or one without a spectrum (NaN, quantised),
            by its name.
    """
    need("torch", "safetensors")
    files = read_lora_files(folder)
    try:
        pairs = adapter_pairs(files)
        comparisons = _compared(pairs, name, draws, bins, seed, reporter)
    except ValueError as error:
        raise FlextuneError(f"{files.folder}: {error}") from None
    places = module_places(pair.name for pair in pairs)
    rows = [[comparison.row() for comparison in views] for views in comparisons]
    return AdapterSpectra(
        adapter=name,
        folder=str(folder),
        base_model=files.base_model,
        passed_over=files.passed_over,
        start=files.start,
        rows=tuple(
            {**_placed(pair, places), **row} for pair, views in zip(pairs, rows, strict=True) for row in views
        ),
        types=tuple(_types(comparisons, rows, places)),
    )


def adapter_pairs(files: LoraFiles) -> list[LoraPair]:
    """The adapter's pairs with their scales, by layer as numbers have it; the file sorts them as text."""
    from flextune.spectral.pairs import lora_pairs

    if not files.matrices:
        kinds = ", ".join(files.passed_over)
        raise ValueError(f"no LoRA matrix found{f' (it holds {kinds})' if kinds else ''}")
    pairs = [
        replace(
            pair,
            name=files.settings.target_of(pair.name).removesuffix(".weight"),
            scale=files.settings.scale_of(pair.name),
            experts=files.experts(pair.name, pair.a.shape[0]),
        )
        for pair in lora_pairs(files.matrices)
    ]
    return sorted(pairs, key=lambda pair: _natural(pair.name))


def _natural(name: str) -> list[tuple[int, str]]:
    """Layer 2 before layer 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in name.split(".")]


def _compared(
    pairs: Sequence[LoraPair], name: str, draws: int, bins: int, seed: int, reporter: Reporter
) -> list[list[Comparison]]:
    import torch

    from flextune.spectral.nulls import compare

    generator = torch.Generator("cpu").manual_seed(seed)
    threads, comparisons = torch.get_num_threads(), []
    # The transforms are short: with two threads they take as long, and many times that beside other work.
    torch.set_num_threads(1)
    try:
        with reporter.stage(f"spectrum of {name}", len(pairs)) as stage:
            for pair in pairs:
                comparisons.append(compare(pair, generator, draws=draws, bins=bins))
                stage.update(len(comparisons), len(pairs))
    finally:
        torch.set_num_threads(threads)
    return comparisons


def _placed(pair: LoraPair, places: Mapping[str, tuple[int | None, str]]) -> Row:
    layer, kind = places[pair.name]
    return {"layer": layer, "type": kind, "rank": pair.a.shape[0] // pair.experts}


def _types(
    comparisons: list[list[Comparison]],
    rows: list[list[Row]],
    places: Mapping[str, tuple[int | None, str]],
) -> Iterator[Row]:
    """A row for each type, factor and axis, in the order in which they first come."""
    from flextune.spectral.comparison import average

    groups: dict[tuple[str, str, str], list[tuple[Comparison, Row]]] = defaultdict(list)
    for views, view_rows in zip(comparisons, rows, strict=True):
        for one, row in zip(views, view_rows, strict=True):
            groups[places[one.name][1], one.factor, one.axis].append((one, row))
    for (kind, _, _), members in groups.items():
        mean = average([one for one, _ in members], kind).row()
        outside = _outside([row for _, row in members])
        yield {"type": kind, "modules": len(members), **mean, "outside": outside}


def _outside(rows: list[Row]) -> dict[str, dict[str, int]]:
    from flextune.spectral.comparison import NULLS, NUMBERS, outside

    return {
        number: {null: sum(bool(outside(row[number], row[null][number])) for row in rows) for null in NULLS}
        for number in NUMBERS
    }
