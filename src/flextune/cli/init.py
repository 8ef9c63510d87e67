"""``flextune init``: an experiment file to start from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Optional

import typer


def init(
    output: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option("-o", "--output", help="Write a file instead of printing.", show_default=False),
    ] = None,
) -> None:
    """Print an experiment file with comments, to change and run.

    flextune init > mine.yaml
    """
    from flextune.errors import FlextuneError
    from flextune.files.output import check_new_file
    from flextune.files.whole import write_whole

    text = (files("flextune.cli") / "init.yaml").read_text(encoding="utf-8")
    if output is None:
        typer.echo(text, nl=False)
        return
    check_new_file(output)
    if output.exists():
        raise FlextuneError(f"-o {output}: is there already; choose another name")
    write_whole(output, text.replace("THIS_FILE", str(output)))
    typer.echo(f"{output}: next, flextune run {output} --plan")
