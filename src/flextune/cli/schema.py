"""``flextune schema``: the JSON schema of an experiment file, and of what commands print as JSON."""

from __future__ import annotations

from typing import Annotated, Optional

import typer


def schema(
    command: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer reads it at run time
        typer.Argument(metavar="COMMAND", help="Command whose --json is described.", show_default=False),
    ] = None,
) -> None:
    """Print the JSON schema of an experiment file, for editors; or that of a command's --json.

    flextune schema judge
    """
    from flextune.cli.json_formats import adapter
    from flextune.cli.terminal import print_json
    from flextune.config import schema as experiment_schema

    print_json(adapter(" ".join(command)).json_schema() if command else experiment_schema())
