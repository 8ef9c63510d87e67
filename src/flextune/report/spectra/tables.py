"""Adapters' spectra in numbers, as tables for the terminal, 80 columns wide at most."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table as RichTable

from flextune.report.formats import UNDEFINED
from flextune.report.tables import Table, Tone, rich_table

SpectrumRow = Mapping[str, Any]
WIDTHS = {"module": 14, "adapter": 10}

NOTE = """\
Bands: 5 % to 95 % of the draws. permuted: the same entries in random order; of
the update, its inputs and outputs. noise: Gaussian factors of the same norm.
*: outside the permuted band (ranks: the noise band), as one number in ten is by
chance; outside: how many of the type's modules are, each against its own band."""


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"


def _fraction(value: float) -> str:
    """Four decimals without the leading zero, which is in every line."""
    return f"{value:.4f}".removeprefix("0")


@dataclass(frozen=True)
class Number:
    """One of the numbers, and which null it is held against: a permuted update keeps its ranks."""

    key: str
    title: str
    against: str
    show: Callable[[float], str]


NUMBERS = (
    Number("high_share", "High-frequency share, %: energy above half of Nyquist", "permuted", _percent),
    Number("entropy", "Spectral entropy: 1 for an even spectrum", "permuted", _fraction),
    Number("stable_rank", "Stable rank", "noise", "{:.2f}".format),
    Number("effective_rank", "Effective rank", "noise", "{:.2f}".format),
)


def spectrum_tables(adapters: Mapping[str, Sequence[SpectrumRow]]) -> Iterator[RichTable]:
    """One table for each number; rows of a module or type stand together, one for each adapter.

    Args:
        adapters: Name to rows as the audit's ``AdapterSpectra`` has them: its types, or its matrices.
    """
    for number in NUMBERS:
        yield rich_table(_table(number, adapters), WIDTHS, gap=1)


def summary(types: Sequence[SpectrumRow]) -> str:
    """How many of an adapter's numbers, over all modules, lie outside of what chance gives.

    Args:
        types: The rows of its types of modules.
    """
    found = total = 0
    for number in NUMBERS:
        for row in types:
            # An update has the same ranks seen from its inputs and from its outputs.
            if number.against == "noise" and row["axis"] == "output":
                continue
            found += row["outside"][number.key][number.against]
            total += row["modules"]
    by_chance = round(total / 10)
    return f"{found} of {total} numbers are outside their bands; chance alone puts about {by_chance} there"


def _table(number: Number, adapters: Mapping[str, Sequence[SpectrumRow]]) -> Table:
    several, types = len(adapters) > 1, any("outside" in row for rows in adapters.values() for row in rows)
    names = ("module", "of", *(["adapter"] if several else []), " value")
    nulls = ("permuted", "noise", *(["outside"] if types else []))
    # A rank has no axis.
    ranks = number.key.endswith("rank")
    rows: list[tuple[str, ...]] = []
    tones: dict[tuple[int, int], Tone] = {}
    last = ""
    for (module, of), by_adapter in _grouped(adapters, ranks).items():
        for place, (adapter, row) in enumerate(by_adapter.items()):
            if _is_outside(number, row):
                tones[len(rows), len(names) - 1] = "strong"
            first = (module if module != last else "", of if place == 0 else "")
            rows.append((*first, *([adapter] if several else []), *_values(number, row, ranks)))
            last = module
    align = "l" * len(names) + "r" * len(nulls)
    return Table(number.title, (*names, *nulls), tuple(rows), align=align, tones=tones)


def _grouped(
    adapters: Mapping[str, Sequence[SpectrumRow]], ranks: bool
) -> dict[tuple[str, str], dict[str, SpectrumRow]]:
    groups: dict[tuple[str, str], dict[str, SpectrumRow]] = {}
    for name, rows in adapters.items():
        for row in rows:
            layer = row.get("layer")
            module = row["type"] if layer is None else f"{layer} {row['type']}"
            groups.setdefault((module, _matrix(row, ranks)), {})[name] = row
    return groups


def _matrix(row: SpectrumRow, ranks: bool) -> str:
    if row["factor"] != "update":
        return str(row["factor"])
    return "update" if ranks else {"input": "update in", "output": "update out"}[row["axis"]]


def _is_outside(number: Number, row: SpectrumRow) -> bool:
    value, band = row[number.key], row[number.against][number.key]
    return value is not None and band is not None and not band["low"] <= value <= band["high"]


def _values(number: Number, row: SpectrumRow, ranks: bool) -> Iterator[str]:
    value = row[number.key]
    text = UNDEFINED if value is None else number.show(value)
    # Aligned by hand: the mark stands outside of the column of digits.
    yield f"{text:>6}{'*' if _is_outside(number, row) else ''}"
    for null in ("permuted", "noise"):
        same = ranks and null == "permuted" and row["factor"] == "update"
        yield "same" if same else _band(number, row[null][number.key])
    if "outside" in row:
        yield f"{row['outside'][number.key][number.against]}/{row['modules']}"


def _band(number: Number, band: Mapping[str, float] | None) -> str:
    return UNDEFINED if band is None else f"[{number.show(band['low'])}, {number.show(band['high'])}]"
