"""``flextune generate``: completions of a model for a benchmark, without judging them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flextune.cli import options as o
from flextune.cli.groups import grouped
from flextune.cli.requests import ModelRequest


@grouped
def generate(
    request: ModelRequest,
    output: Annotated[Path, typer.Option("-o", "--output", help="Completions, one JSON line each.")],
    language: o.Languages = None,
    data_dir: o.DataDir = None,
    as_json: o.Json = False,
) -> None:
    """Write completions, and the problems beside them (OUTPUT.problems.jsonl), for `flextune judge`."""
    from flextune.cli.terminal import print_json, progress
    from flextune.errors import FlextuneError
    from flextune.runner.generate_file import generate_file

    if len(language or []) > 1:
        raise FlextuneError(f"--language: a file holds one language (given: {', '.join(language or [])})")
    experiment = request.experiment(language or ["py"])
    with progress() as reporter:
        written = generate_file(experiment, output, data_dir=data_dir, reporter=reporter)
    if as_json:
        print_json({"completions": written, "file": str(output)})
    else:
        typer.echo(f"{written} completions in {output}")
