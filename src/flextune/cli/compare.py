"""``flextune compare``: two verdict files on the same problems."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flextune.cli.options import Json

if TYPE_CHECKING:
    from flextune.records import Comparison


def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="Verdict file or evaluation folder.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="What A is compared with.")],
    as_json: Json = False,
) -> None:
    """Compare two verdict files problem by problem: difference, interval, test, won and lost."""
    from flextune.cli.terminal import print_json
    from flextune.judging import compare_files
    from flextune.records import as_row

    comparison = compare_files(first, second)
    if as_json:
        print_json(as_row(comparison))
    else:
        typer.echo(_text(comparison))


def _text(comparison: Comparison) -> str:
    c = comparison
    interval = "" if c.low is None else f" [{100 * c.low:+.1f}, {100 * (c.high or 0):+.1f}]"
    p_value = "nothing to test" if c.p_value is None else f"p = {c.p_value:.3g}"
    lines = [
        f"A - B: {100 * c.difference:+.1f} points{interval} on {c.count} problems",
        f"{p_value} ({c.method})",
    ]
    for title, names in (("won", c.won), ("lost", c.lost), ("left out", c.left_out)):
        if names or title != "left out":
            lines.append(f"{title} ({len(names)}): {', '.join(names) or '-'}")
    return "\n".join(lines)
