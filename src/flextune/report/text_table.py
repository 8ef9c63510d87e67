"""A table of text, for the page and for Markdown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """Text in rows and columns.

    Attributes:
        title: Of the table.
        header: Names of the columns.
        rows: The first cell names the row.
        note: What has to be known to read it.
        words: Whether cells are words, to be aligned on the left.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    words: bool = False
