"""``flextune compare``: two verdict files on the same problems."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flextune.cli.options import Json


def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="Verdict file or evaluation folder.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="The one it is compared with.")],
    as_json: Json = False,
) -> None:
    """Compare two verdict files problem by problem: difference, interval, test, won and lost."""
    from flextune.cli.terminal import print_json
    from flextune.judging.compare import compare_files
    from flextune.records import as_row

    found = compare_files(first, second)
    if as_json:
        print_json(as_row(found))
        return
    interval = "" if found.low is None else f" [{100 * found.low:+.1f}, {100 * (found.high or 0):+.1f}]"
    p_value = "nothing to test" if found.p_value is None else f"p = {found.p_value:.3g}"
    typer.echo(f"A - B: {100 * found.difference:+.1f} points{interval} on {found.count} problems")
    typer.echo(f"{p_value} ({found.method})")
    for title, names in (("won", found.won), ("lost", found.lost), ("left out", found.left_out)):
        if names or title != "left out":
            typer.echo(f"{title} ({len(names)}): {', '.join(names) or '-'}")
