"""One table of text, for the terminal, for Markdown and for the page."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from rich import box
from rich.table import Table as RichTable
from rich.text import Text

#: Characters in a line of Markdown.
COLUMNS = 110

Tone = Literal["strong", "good", "bad"]
_STYLES: dict[Tone, str] = {"strong": "bold", "good": "green", "bad": "red"}


@dataclass(frozen=True, slots=True)
class Table:
    """Text in rows and columns.

    Attributes:
        title: Of the table.
        header: Names of the columns.
        rows: The first cell names the row.
        note: What has to be known to read it.
        align: A letter for each column: ``l`` words, ``q`` words that matter less, ``r`` numbers. Empty:
            words in the first column, numbers in all others.
        rules: Numbers of the rows below which the terminal draws a line.
        tones: Row and column to what the terminal shows as a colour.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    align: str = ""
    rules: frozenset[int] = frozenset()
    tones: Mapping[tuple[int, int], Tone] = field(default_factory=dict)

    @property
    def alignment(self) -> str:
        """A letter for each column, also where none are given."""
        return self.align or "l" + "r" * (len(self.header) - 1)


def rich_table(table: Table, widths: Mapping[str, int], *, gap: int = 0) -> RichTable:
    """The table for a terminal; its note is not part of it.

    Args:
        table: Text that looks like rich's markup is shown as it is.
        widths: Largest widths of columns by name, beyond which their cells are folded; others never are.
        gap: Spaces between columns, besides the one of the rule.
    """
    drawn = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, gap, 0, 0))
    if table.title:
        drawn.title, drawn.title_justify, drawn.title_style = Text(table.title), "left", "bold"
    for name, letter in zip(table.header, table.alignment, strict=True):
        drawn.add_column(
            Text(name),
            justify="right" if letter == "r" else "left",
            overflow="fold" if name in widths else "ellipsis",
            max_width=widths.get(name),
            no_wrap=name not in widths,
        )
    for number, row in enumerate(table.rows):
        cells = [Text(cell, style=_style(table, number, column)) for column, cell in enumerate(row)]
        drawn.add_row(*cells, end_section=number in table.rules)
    return drawn


def _style(table: Table, row: int, column: int) -> str:
    tone = table.tones.get((row, column))
    return _STYLES[tone] if tone else ""


def markdown_table(table: Table) -> Iterator[str]:
    """Lines of Markdown that can be read as they are, too: columns are padded."""
    cells = [[markdown_text(cell) for cell in row] for row in (table.header, *table.rows)]
    widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]
    right = [letter == "r" for letter in table.alignment]
    rule = ["-" * (width - side) + ":" * side for width, side in zip(widths, right, strict=True)]
    yield f"### {markdown_text(table.title)}"
    yield ""
    for row in (cells[0], rule, *cells[1:]):
        padded = zip(row, widths, right, strict=True)
        yield f"| {' | '.join(c.rjust(width) if side else c.ljust(width) for c, width, side in padded)} |"
    yield ""
    if table.note:
        yield from textwrap.wrap(markdown_text(table.note), COLUMNS, break_on_hyphens=False)
        yield ""


def markdown_item(text: str) -> Iterator[str]:
    """An item of a list, over several lines."""
    yield from textwrap.wrap(
        f"- {markdown_text(text)}", COLUMNS, subsequent_indent="  ", break_on_hyphens=False
    )


def markdown_text(text: str) -> str:
    """On one line, and without what Markdown would read as a table's edge or as markup."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
