"""``flextune overlap``: which evaluation problems training data holds, nearly or in full."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from flextune.cli import options as o

if TYPE_CHECKING:
    from flextune.sources.overlap import Overlap

#: Near copies that the terminal shows.
SHOWN = 20


def overlap(
    data: Annotated[
        list[str],
        typer.Argument(
            metavar="DATA", help="Training data: a source's name, or a file of rows.", show_default=False
        ),
    ],
    benchmarks: Annotated[
        list[str],
        typer.Option(
            "--benchmark",
            help=f"{o.BENCHMARKS}, or a file of problems; repeatable.",
            show_default=False,
        ),
    ],
    languages: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            "--language",
            help="Language of the problems (default: all); repeatable, or separated by commas.",
            show_default=False,
        ),
    ] = None,
    threshold: Annotated[
        float,
        typer.Option(
            "--threshold", min=0.01, max=1, help="Smallest shared part of a problem that counts as a copy."
        ),
    ] = 0.5,
    output: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("-o", "--output", help="File for the report, as Markdown.", show_default=False),
    ] = None,
    data_dir: o.DataDir = None,
    as_json: o.Json = False,
) -> None:
    """Name the evaluation problems whose prompt or reference solution is in training data."""
    from flextune.api.data import overlap as find
    from flextune.cli.terminal import print_json
    from flextune.files.whole import write_whole
    from flextune.records import as_row

    if output is not None:
        _check(output)
    found = find(data, benchmarks, languages=languages, threshold=threshold, data_dir=data_dir)
    if output is not None:
        from flextune.report.overlap import markdown

        command = _command(data, benchmarks, languages or [], threshold)
        write_whole(output, markdown(found, data, benchmarks, command))
    if as_json:
        print_json({**as_row(found), "problems_with_a_copy": len(found.touched)})
    else:
        _print(found)


def _command(data: list[str], benchmarks: list[str], languages: list[str], threshold: float) -> str:
    """The command that finds the same again."""
    options = [("--benchmark", name) for name in benchmarks] + [("--language", name) for name in languages]
    words = [*data, *(word for option in options for word in option), "--threshold", f"{threshold:g}"]
    return f"flextune overlap {shlex.join(words)}"


def _check(output: Path) -> None:
    """Return if a report may be written there: nothing else is replaced."""
    from flextune.errors import FlextuneError
    from flextune.report.overlap import TITLE

    if output.is_dir() or not output.absolute().parent.is_dir():
        raise FlextuneError(f"-o {output}: give a file in a folder that is there")
    if output.exists() and not output.read_bytes().startswith(TITLE.encode()):
        raise FlextuneError(
            f"-o {output}: this file is there already and is no overlap report; choose another"
        )


def _print(found: Overlap) -> None:
    from flextune.cli.terminal import print_line
    from flextune.report.overlap import summary

    print_line(summary(found))
    for copy in found.copies[:SHOWN]:
        problem = f"{copy.benchmark} {copy.language} {copy.problem}"
        more = f" and {copy.examples - 1} more" if copy.examples > 1 else ""
        typer.echo(f"{copy.share:4.0%}  {problem}: {copy.part} in {copy.example}{more}")
    if len(found.copies) > SHOWN:
        typer.echo(f"and {len(found.copies) - SHOWN} more (--json lists them all)")
