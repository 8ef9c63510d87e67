"""Adapters' spectra in numbers, as tables for the terminal, 80 columns wide at most."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from flextune.report.formats import UNDEFINED

Row = Mapping[str, Any]

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


def spectrum_tables(adapters: Mapping[str, Sequence[Row]]) -> Iterator[Table]:
    """One table for each number; rows of a module or type stand together, one for each adapter.

    Args:
        adapters: Name to rows as the pipeline's ``AdapterSpectra`` has them: its types, or its matrices.
    """
    for number in NUMBERS:
        yield _table(number, adapters)


def _table(number: Number, adapters: Mapping[str, Sequence[Row]]) -> Table:
    several, types = len(adapters) > 1, any("outside" in row for rows in adapters.values() for row in rows)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.title, table.title_justify, table.title_style = number.title, "left", "bold"
    table.add_column("module", overflow="fold", max_width=14)
    table.add_column("of", no_wrap=True)
    if several:
        table.add_column("adapter", overflow="fold", max_width=10)
    table.add_column(" value", no_wrap=True)
    for title in ("permuted", "noise", *(["outside"] if types else [])):
        table.add_column(title, justify="right", no_wrap=True)
    # A rank has no axis.
    ranks = number.key.endswith("rank")
    shown = ""
    for (module, of), held in _grouped(adapters, ranks).items():
        for name, row in held.items():
            first = row is next(iter(held.values()))
            cells = [Text(module if module != shown else ""), Text(of if first else "")]
            table.add_row(*cells, *([Text(name)] if several else []), *_values(number, row, ranks))
            shown = module
    return table


def _grouped(adapters: Mapping[str, Sequence[Row]], ranks: bool) -> dict[tuple[str, str], dict[str, Row]]:
    groups: dict[tuple[str, str], dict[str, Row]] = {}
    for name, rows in adapters.items():
        for row in rows:
            layer = row.get("layer")
            module = row["type"] if layer is None else f"{layer} {row['type']}"
            groups.setdefault((module, _matrix(row, ranks)), {})[name] = row
    return groups


def _matrix(row: Row, ranks: bool) -> str:
    if row["factor"] != "update":
        return str(row["factor"])
    return "update" if ranks else {"input": "update in", "output": "update out"}[row["axis"]]


def _values(number: Number, row: Row, ranks: bool) -> Iterator[Text]:
    value, band = row[number.key], row[number.against][number.key]
    marked = value is not None and band is not None and not band["low"] <= value <= band["high"]
    shown = UNDEFINED if value is None else number.show(value)
    # Aligned by hand: the mark stands outside of the column of digits.
    yield Text(f"{shown:>6}{'*' if marked else ''}", style="bold" if marked else "")
    for null in ("permuted", "noise"):
        same = ranks and null == "permuted" and row["factor"] == "update"
        yield Text("same" if same else _band(number, row[null][number.key]))
    if "outside" in row:
        yield Text(f"{row['outside'][number.key][number.against]}/{row['modules']}")


def _band(number: Number, band: Mapping[str, float] | None) -> str:
    return UNDEFINED if band is None else f"[{number.show(band['low'])}, {number.show(band['high'])}]"
