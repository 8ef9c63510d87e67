"""``flextune generate``: completions of a model for a benchmark, without judging them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from flextune.cli import options as o
from flextune.cli.groups import grouped
from flextune.cli.requests import ModelRequest
from flextune.cli.server_options import ServerOptions


@grouped
def generate(
    model: Annotated[str, typer.Argument(metavar="MODEL[+ADAPTER]", help=o.MODEL)],
    request: ModelRequest,
    server: ServerOptions,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="File for the completions, one JSON line each.")
    ],
    language: o.Languages = None,
    form: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="Write OUTPUT as another tool reads it: evalplus, multipl-e (a folder), bigcode or lm-eval.",
            show_default=False,
        ),
    ] = None,
    data_dir: o.DataDir = None,
    as_json: o.Json = False,
) -> None:
    """Write completions, and the problems beside them (OUTPUT.problems.jsonl), for `flextune judge`."""
    from flextune.cli.terminal import print_json, progress
    from flextune.errors import FlextuneError
    from flextune.report.formats import count
    from flextune.runner.generate_file import generate_file

    (experiment,) = request.experiments([model], language, server.section())
    if len(experiment.evaluate) > 1:
        given = ", ".join(part.language for part in experiment.evaluate)
        where = (
            f"{request.problems}: has several languages" if not language else "--language: a file holds one"
        )
        raise FlextuneError(f"{where} ({given}); choose one with --language")
    with progress() as reporter:
        written = generate_file(experiment, output, data_dir=data_dir, reporter=reporter, form=form)
    if as_json:
        print_json({"completions": written, "file": str(output)})
    else:
        typer.echo(f"{count(written, 'completion')} in {output}")
