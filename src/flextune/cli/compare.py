"""``flextune compare``: two verdict files on the same problems."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flextune.cli.options import Json

if TYPE_CHECKING:
    from flextune.judging.compare import Side
    from flextune.records import Comparison

#: Exit code where nothing could be compared.
NOTHING_COMPARED = 3
#: Names of problems that a line shows.
NAMES_SHOWN = 20


def compare(
    first: Annotated[
        Path,
        typer.Argument(
            metavar="A", help="Verdict file, evaluation folder, or results of lm-eval, inspect or EvalPlus."
        ),
    ],
    second: Annotated[
        Path, typer.Argument(metavar="B", help="Results to compare A with, in the same forms.")
    ],
    margin: Annotated[
        float,
        typer.Option("--margin", min=0, max=100, help="A and B count as the same within this many points."),
    ] = 2.0,
    across: Annotated[
        bool, typer.Option("--across", help="Compare although languages or benchmarks differ.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare two verdict files problem by problem: verdict, difference, interval, test, won and lost.

    The exit status is 3 where nothing could be compared.
    """
    from flextune.cli.terminal import print_json, print_line
    from flextune.judging.compare import compare_sides, read_side
    from flextune.records import as_row

    sides = (read_side(first), read_side(second))
    comparison = compare_sides(*sides, margin=margin, across=across)
    if as_json:
        print_json({**as_row(comparison), "a": _row(sides[0]), "b": _row(sides[1])})
    else:
        for name, side in zip("AB", sides, strict=True):
            print_line(f"{name}  {_described(side)}", wrap=False)
        for line in _lines(comparison, *sides):
            print_line(line)
    if comparison.verdict == "not compared":
        raise typer.Exit(NOTHING_COMPARED)


def _lines(comparison: Comparison, first: Side, second: Side) -> Iterator[str]:
    from flextune.judging.compare import only_in
    from flextune.report import formats
    from flextune.report.verdict_words import plain, resolution, sentence

    c = comparison
    for name, count in only_in(first, second):
        yield f"{formats.count(count, 'problem')} only in {name}: not compared"
    if any(c.unknown):
        yield f"unknown verdicts: {c.unknown[0]} in A, {c.unknown[1]} in B"
    said = plain(sentence(_as_a_and_b(c)))
    yield f"A − B: {said}"
    if c.p_value is not None:
        # What is undecided names the resolution itself.
        more = "" if plain(resolution(c)) in said else f"; {plain(resolution(c))}"
        yield f"on {formats.count(c.count, 'problem')}; {c.method}{more}"
    for title, names in (("won", c.won), ("lost", c.lost), ("left out", c.left_out)):
        if names or title != "left out":
            yield f"{title} ({len(names)}): {_names(names)}"


def _as_a_and_b(comparison: Comparison) -> Comparison:
    from dataclasses import replace

    return replace(comparison, arm="A", baseline="B")


def _described(side: Side) -> str:
    """Language, benchmark, model and score of one side, and where it lies."""
    told = [", ".join(side.languages), side.benchmark, side.model]
    share = f" = {100 * side.passed / side.known:.1f} %" if side.known else ""
    return "  ".join([*filter(None, told), f"{side.passed}/{side.known} passed{share}", str(side.path)])


def _names(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:NAMES_SHOWN])
    more = len(names) - NAMES_SHOWN
    return f"{shown}, and {more} more (--json lists them all)" if more > 0 else shown or "-"


def _row(side: Side) -> dict[str, Any]:
    return {
        "path": str(side.path),
        "languages": side.languages,
        "benchmark": side.benchmark,
        "model": side.model,
        "passed": side.passed,
        "known": side.known,
        "problems": len(side.outcomes),
    }
